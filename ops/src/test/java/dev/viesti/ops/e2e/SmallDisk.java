package dev.viesti.ops.e2e;

import dev.viesti.persistence.embedded.TestDatabase;
import dev.viesti.persistence.embedded.TestPostgres;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;

/** What the table {@code outbox} lies on: it can be full. */
sealed interface SmallDisk extends AutoCloseable {
  /** From now on nothing grows any more. What is there can be changed and removed. */
  void fillUp() throws Exception;

  /** Ends {@link #fillUp}. */
  void makeRoom() throws Exception;

  @Override
  void close() throws Exception;

  /**
   * A filesystem of its own: a tmpfs, which only root may mount.
   *
   * @param why it could not be mounted; empty when it is
   */
  record Mounted(Path directory, TestDatabase database, String why) implements SmallDisk {
    private static final int MIB = 48;

    /**
     * Moves the outbox there, when mounting is permitted here.
     *
     * @param cluster PostgreSQL's data, whose owner gets the directory
     */
    static Mounted mount(Path cluster, TestDatabase database) throws Exception {
      Path directory = TestPostgres.freshDirectory().resolve("disk");
      Files.createDirectory(directory);
      Object uid = Files.getAttribute(cluster, "unix:uid");
      String options = "size=%dm,mode=0700,uid=%s".formatted(MIB, uid);
      String said = run("mount", "-t", "tmpfs", "-o", options, "viesti-test", "" + directory);
      var disk = new Mounted(directory, database, said);
      if (said.isEmpty()) {
        Runtime.getRuntime().addShutdownHook(new Thread(disk::unmount));
        database.execute("create tablespace small location '" + directory + "'");
        database.execute("alter table viesti.outbox set tablespace small");
        database.execute("alter index viesti.outbox_pkey set tablespace small");
      }
      return disk;
    }

    @Override
    public void fillUp() {
      byte[] block = new byte[4_096];
      try (OutputStream ballast = Files.newOutputStream(directory.resolve("ballast"))) {
        for (int n = 0; n < MIB << 8; n++) {
          ballast.write(block);
        }
        throw new AssertionError("more fits than there is");
      } catch (IOException full) {
        if (!String.valueOf(full.getMessage()).contains("No space left")) {
          throw new AssertionError(full);
        }
      }
    }

    @Override
    public void makeRoom() throws IOException {
      Files.deleteIfExists(directory.resolve("ballast"));
    }

    @Override
    public void close() throws Exception {
      makeRoom();
    }

    private void unmount() {
      try {
        run("umount", "-l", "" + directory);
      } catch (IOException | InterruptedException gone) {
        System.out.println("still mounted: " + directory + " (" + gone + ")");
      }
    }

    /** What a program says when it fails; empty when it does not. */
    private static String run(String... command) throws IOException, InterruptedException {
      Process process = new ProcessBuilder(List.of(command)).redirectErrorStream(true).start();
      String said =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      return process.waitFor() == 0 ? "" : command[0] + " failed: " + said;
    }
  }

  /** For those who may not mount: the server says of itself that its disk is full. */
  record Pretended(TestDatabase database) implements SmallDisk {
    @Override
    public void fillUp() throws SQLException {
      database.execute(
          """
          create or replace function disk_full() returns trigger language plpgsql as $$
          begin
            raise exception 'could not extend file: No space left on device'
              using errcode = '53100';
          end $$;
          create trigger disk_full before insert or update on viesti.outbox
            for each row execute function disk_full();
          """);
    }

    @Override
    public void makeRoom() throws SQLException {
      database.execute("drop trigger if exists disk_full on viesti.outbox");
    }

    @Override
    public void close() throws SQLException {
      makeRoom();
    }
  }
}
