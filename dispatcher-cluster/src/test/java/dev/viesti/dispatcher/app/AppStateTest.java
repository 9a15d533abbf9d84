package dev.viesti.dispatcher.app;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.viesti.protocol.app.AppSettings;
import dev.viesti.protocol.trigger.Target;
import dev.viesti.protocol.trigger.Trigger;
import dev.viesti.protocol.trigger.TriggerId;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class AppStateTest {
  private static final Instant AT = Instant.parse("2026-01-01T00:00:00Z");
  private static final TriggerId ID = new TriggerId("t");
  private static final Trigger LOG =
      Trigger.of(null, null, new Target.Log(), null, null, null, null, null);

  private final AppState made =
      AppState.NONE.after(new AppEvent.AppCreated(AppSettings.DEFAULT, AT, "me"));

  @Test
  void countsRevisionsFromOne() {
    assertThat(AppState.NONE.revision()).isZero();
    assertThat(made.revision()).isEqualTo(1);
    var changed = made.after(new AppEvent.SettingsChanged(AppSettings.DEFAULT, AT, "me"));
    assertThat(changed.revision()).isEqualTo(2);
    assertThat(changed.createdAt()).isEqualTo(AT);
  }

  @Test
  void remembersWhyViestiSwitchedATriggerOff() {
    var registered = made.after(new AppEvent.TriggerRegistered(ID, LOG, AT, "me"));
    var disabled = registered.after(new AppEvent.TriggerDisabled(ID, "HTTP 410", AT));
    assertThat(requireNonNull(disabled.trigger(ID)).trigger().enabled()).isFalse();
    assertThat(requireNonNull(disabled.trigger(ID)).disabledReason()).isEqualTo("HTTP 410");
    assertThat(requireNonNull(disabled.trigger(ID)).revision()).isEqualTo(2);
    var mended = disabled.after(new AppEvent.TriggerChanged(ID, LOG, AT, "me"));
    assertThat(requireNonNull(mended.trigger(ID)).disabledReason()).isNull();
    assertThat(requireNonNull(mended.trigger(ID)).trigger().enabled()).isTrue();
  }

  @Test
  void forgetsEverythingWithTheApp() {
    var registered = made.after(new AppEvent.TriggerRegistered(ID, LOG, AT, "me"));
    assertThat(registered.after(new AppEvent.AppDeleted(AT, "me"))).isEqualTo(AppState.NONE);
    assertThat(registered.after(new AppEvent.TriggerRemoved(ID, AT, "me"))).isEqualTo(made);
  }
}
