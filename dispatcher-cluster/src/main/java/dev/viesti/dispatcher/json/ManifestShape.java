package dev.viesti.dispatcher.json;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.annotation.JsonDeserialize;
import com.fasterxml.jackson.databind.annotation.JsonSerialize;
import com.fasterxml.jackson.databind.deser.std.StdDeserializer;
import com.fasterxml.jackson.databind.ser.std.StdSerializer;
import java.io.IOException;
import java.io.StringWriter;
import org.jspecify.annotations.Nullable;

/** Mixed into the manifest, so that its JSON is what an author writes: the schema is no text. */
abstract class ManifestShape {
  @JsonProperty("config")
  @JsonSerialize(using = FromText.class)
  @JsonDeserialize(using = AsText.class)
  abstract @Nullable String configSchema();

  private static final JsonFactory JSON = new JsonFactory();

  /** Copied, not raw: between nodes it becomes CBOR. */
  static final class FromText extends StdSerializer<String> {
    private static final long serialVersionUID = 1L;

    FromText() {
      super(String.class);
    }

    @Override
    public void serialize(String text, JsonGenerator out, SerializerProvider provider)
        throws IOException {
      try (JsonParser in = JSON.createParser(text)) {
        in.nextToken();
        out.copyCurrentStructureExact(in);
      }
    }
  }

  /** JSON as it stands, without spaces; numbers keep all their digits. */
  static final class AsText extends StdDeserializer<String> {
    private static final long serialVersionUID = 1L;

    AsText() {
      super(String.class);
    }

    @Override
    public String deserialize(JsonParser in, DeserializationContext context) throws IOException {
      StringWriter text = new StringWriter();
      try (JsonGenerator out = JSON.createGenerator(text)) {
        out.copyCurrentStructureExact(in);
      }
      return text.toString();
    }
  }
}
