package dev.viesti.dispatcher.json;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.deser.std.StdScalarDeserializer;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.StdScalarSerializer;
import dev.viesti.protocol.plugin.Manifest;
import dev.viesti.protocol.trigger.DurationText;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Durations as {@code "30s"} and manifests as their authors write them, in the API and in the
 * journal alike.
 */
public final class ViestiJacksonModule extends SimpleModule {
  private static final long serialVersionUID = 1L;

  public ViestiJacksonModule() {
    super("viesti");
    addSerializer(Duration.class, new Writer());
    addDeserializer(Duration.class, new Reader());
    setMixInAnnotation(Manifest.class, ManifestShape.class);
  }

  private static final class Writer extends StdScalarSerializer<Duration> {
    private static final long serialVersionUID = 1L;

    Writer() {
      super(Duration.class);
    }

    @Override
    public void serialize(Duration value, JsonGenerator out, SerializerProvider provider)
        throws IOException {
      out.writeString(DurationText.print(value));
    }
  }

  private static final class Reader extends StdScalarDeserializer<Duration> {
    private static final long serialVersionUID = 1L;

    Reader() {
      super(Duration.class);
    }

    @Override
    public @Nullable Duration deserialize(JsonParser in, DeserializationContext context)
        throws IOException {
      String text = in.getValueAsString();
      if (text == null) {
        return (Duration) context.handleUnexpectedToken(Duration.class, in);
      }
      try {
        return DurationText.parse(text);
      } catch (IllegalArgumentException wrong) {
        return (Duration) context.handleWeirdStringValue(Duration.class, text, wrong.getMessage());
      }
    }
  }
}
