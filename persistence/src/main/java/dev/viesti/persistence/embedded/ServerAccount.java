package dev.viesti.persistence.embedded;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * As whom the server runs. PostgreSQL refuses to run as root, so when we are root it runs as a
 * numeric user of its own through {@code setpriv}, else in a user namespace through {@code
 * unshare}.
 *
 * <p>Below a directory that only root may enter ({@code /root}, a fresh {@code mktemp -d}) the
 * server's user needs one capability of root's to get to its files. The smallest that does is tried
 * first: {@code dac_read_search} passes directories and reads files; {@code dac_override}, which
 * containers usually have, also writes. Neither is given where plain permissions do.
 *
 * @param initdb runs {@code initdb}
 * @param server runs everything else
 * @see <a href="https://man7.org/linux/man-pages/man7/capabilities.7.html">capabilities(7)</a>
 */
record ServerAccount(Identity initdb, Identity server) {
  private static final Logger LOG = LoggerFactory.getLogger(ServerAccount.class);

  /**
   * Nobody else's: above the range for system accounts' daemons (below 1000), below 65536 so that
   * it is mapped in containers too, and easy to recognise in {@code ls -l}.
   */
  private static final int SERVER_UID = 5432;

  /** initdb insists on a name in /etc/passwd; used when that has no "nobody". */
  private static final int NOBODY_UID = 65_534;

  private static final Duration PROBE_TIME_MAX = Duration.ofSeconds(10);

  /** Without the secure bit access(2) would ignore capabilities, and PostgreSQL asks access(2). */
  private static final String KEEP_FOR_ACCESS_CALL = "--securebits=+no_setuid_fixup";

  /**
   * A user and how to become that.
   *
   * @param uid whom files must be given to, null = they stay ours
   * @param prefix goes before a command
   */
  record Identity(@Nullable Integer uid, List<String> prefix) {
    List<String> command(List<String> arguments) {
      var command = new ArrayList<>(prefix);
      command.addAll(arguments);
      return command;
    }
  }

  /** Finds the first way that works here, by trying it. */
  static ServerAccount choose(DataDirectory directory, Installation installation) {
    int uid = ownUid(directory);
    if (uid != 0) {
      requireOwnCluster(directory, uid);
      return both(new Identity(null, List.of()));
    }
    int serverUid = clusterOwner(directory, SERVER_UID);
    var refusals = new ArrayList<String>();
    for (List<String> grant :
        List.of(List.<String>of(), keep("dac_read_search"), keep("dac_override"))) {
      Identity server = become(serverUid, grant);
      if (works(server, directory, installation, refusals)) {
        if (!grant.isEmpty()) {
          LOG.info(
              "only root may enter {}, so the server's user {} keeps a capability to get there: {}",
              directory.root(),
              serverUid,
              grant.getLast());
        }
        return new ServerAccount(become(uidWithName(serverUid), grant), server);
      }
    }
    var namespaced = new Identity(null, List.of("unshare", "-U"));
    if (works(namespaced, directory, installation, refusals)) {
      return both(namespaced);
    }
    throw new EmbeddedPostgresException(
        """
        PostgreSQL does not run as root, and no other user can be given to it here:
          %s
        Start Viesti as an ordinary user, or with --database-url to use your own PostgreSQL."""
            .formatted(String.join("\n  ", refusals)));
  }

  private static ServerAccount both(Identity identity) {
    return new ServerAccount(identity, identity);
  }

  private static List<String> keep(String capability) {
    return List.of(
        KEEP_FOR_ACCESS_CALL, "--inh-caps=+" + capability, "--ambient-caps=+" + capability);
  }

  private static Identity become(int uid, List<String> grant) {
    var prefix =
        new ArrayList<>(List.of("setpriv", "--reuid=" + uid, "--regid=" + uid, "--clear-groups"));
    prefix.addAll(grant);
    return new Identity(uid, List.copyOf(prefix));
  }

  /** Whether that user can enter the data directory and run the server's program. */
  private static boolean works(
      Identity identity,
      DataDirectory directory,
      Installation installation,
      List<String> refusals) {
    String program = installation.program("postgres").toString();
    Program.Ended ended =
        Program.run(
            identity.command(
                List.of(
                    "sh",
                    "-c",
                    "cd \"$0\" && \"$1\" --version",
                    directory.root().toString(),
                    program)),
            PROBE_TIME_MAX);
    // The program complains, and yet exits with 0, when it cannot look at itself.
    boolean works = ended.succeeded() && ended.output().startsWith("postgres (PostgreSQL)");
    if (!works) {
      refusals.add(String.join(" ", identity.prefix()) + ": " + ended.output().strip());
    }
    return works;
  }

  private static int ownUid(DataDirectory directory) {
    Program.Ended id = Program.run(List.of("id", "-u"), PROBE_TIME_MAX);
    if (!id.succeeded()) {
      throw new EmbeddedPostgresException(
          "cannot find out the user for %s: %s".formatted(directory.root(), id.output()));
    }
    return Integer.parseInt(id.output().strip());
  }

  private static int clusterOwner(DataDirectory directory, int otherwise) {
    try {
      int owner =
          Files.exists(directory.cluster()) ? FileTree.ownerOf(directory.cluster()) : otherwise;
      return owner == 0 ? otherwise : owner;
    } catch (IOException unreadable) {
      throw new EmbeddedPostgresException("cannot read " + directory.cluster(), unreadable);
    }
  }

  private static void requireOwnCluster(DataDirectory directory, int uid) {
    int owner = clusterOwner(directory, uid);
    if (owner != uid) {
      throw new EmbeddedPostgresException(
          ("%s belongs to uid %d, probably because Viesti was started as root before, and this is"
                  + " uid %d. Give it back with: sudo chown -R %d %s")
              .formatted(directory.cluster(), owner, uid, uid, directory.root()));
    }
  }

  /** The uid itself if /etc/passwd names it, else that of "nobody"; initdb's files move later. */
  private static int uidWithName(int uid) {
    int nobody = NOBODY_UID;
    try {
      for (String line : Files.readAllLines(Path.of("/etc/passwd"))) {
        String[] fields = line.split(":", -1);
        if (fields.length > 2 && fields[2].equals(Integer.toString(uid))) {
          return uid;
        }
        if (fields.length > 2 && fields[0].equals("nobody")) {
          nobody = Integer.parseInt(fields[2]);
        }
      }
    } catch (IOException | NumberFormatException unusual) {
      LOG.debug("cannot read /etc/passwd; initdb runs as uid {}", nobody, unusual);
    }
    return nobody;
  }
}
