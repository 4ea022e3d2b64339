package mlwork;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Tries a model where it runs.
 *
 * <pre>
 *   java mlwork.Try              the self-test: model.json of this folder, held against golden.json; ends with 1 where they differ,
 *                                and with 2 where a file cannot be read
 *   java mlwork.Try rows.json    prints the answers to raw rows as JSON; null for a row that is refused
 * </pre>
 */
final class Try {
  private Try() {}

  public static void main(String[] arguments) {
    System.exit(tried(arguments));
  }

  private static int tried(String[] arguments) {
    try {
      Portable model = Portable.read(text("model.json"));
      if (arguments.length == 0) return selfTest(model, read(text("golden.json"))) ? 0 : 1;
      print(model, read("{\"rows\":" + text(arguments[0]) + "}"));
      return 0;
    } catch (IllegalArgumentException error) {
      System.err.println(error.getMessage());
      return 2;
    }
  }

  private static String text(String path) {
    try {
      return new String(Files.readAllBytes(Paths.get(path)), StandardCharsets.UTF_8);
    } catch (IOException | InvalidPathException error) {
      String where = Paths.get("").toAbsolutePath().toString();
      throw new IllegalArgumentException(path + " must be a file that can be read; got " + error + " in " + where, error);
    }
  }

  private static Portable.Data read(String json) {
    return Portable.Data.of("what is tried", Portable.json(json));
  }

  private static boolean selfTest(Portable model, Portable.Data golden) {
    List<Portable.Data> rows = golden.parts("rows");
    List<?> answers = golden.values("answers");
    double[] sizes = golden.numbers("sizes");
    int good = 0;
    for (int i = 0; i < sizes.length; i++) {
      if (agree(answer(model, rows.get(i)), answers.get(i), sizes[i])) good++;
    }
    System.out.println(good + " of " + sizes.length + " golden rows as in Python");
    return good == sizes.length;
  }

  private static boolean agree(Map<String, Object> got, Object wanted, double size) {
    if (got == null || wanted == null) return got == null && wanted == null;
    Portable.Data answer = Portable.Data.of("an answer", wanted);
    List<?> mine = (List<?>) got.get("scores"), python = answer.values("scores");
    boolean near = mine.size() == python.size();
    for (int k = 0; near && k < mine.size(); k++) near = isNear(mine.get(k), python.get(k), size);
    return near;
  }

  private static boolean isNear(Object a, Object b, double size) {
    if (!(a instanceof Double && b instanceof Double)) return a.equals(b);
    return Math.abs((Double) a - (Double) b) <= 1e-12 * Math.max(1, size);
  }

  /** The scores of a row, which are the prediction itself where there are no probabilities; null where it is refused. */
  private static Map<String, Object> answer(Portable model, Portable.Data row) {
    try {
      Portable.Answer answer = model.predict(row.map());
      Map<String, Object> found = new LinkedHashMap<>();
      found.put("prediction", answer.prediction);
      found.put("scores", scores(answer));
      return found;
    } catch (Portable.Refused refused) {
      return null;
    }
  }

  private static List<Object> scores(Portable.Answer answer) {
    List<Object> found = new ArrayList<>(answer.probabilities().values());
    if (found.isEmpty()) found.add(answer.prediction);
    return found;
  }

  private static void print(Portable model, Portable.Data asked) {
    StringBuilder made = new StringBuilder("[");
    for (Portable.Data row : asked.parts("rows")) write(answer(model, row), made.append(made.length() > 1 ? "," : ""));
    byte[] bytes = made.append("]\n").toString().getBytes(StandardCharsets.UTF_8);
    System.out.write(bytes, 0, bytes.length);
    System.out.flush();
  }

  private static void write(Object value, StringBuilder to) {
    if (value instanceof String) {
      writeText((String) value, to);
    } else if (value instanceof Map) {
      String between = "{";
      for (Map.Entry<?, ?> part : ((Map<?, ?>) value).entrySet()) {
        write(part.getKey(), to.append(between));
        write(part.getValue(), to.append(':'));
        between = ",";
      }
      to.append('}');
    } else if (value instanceof List) {
      String between = "[";
      for (Object part : (List<?>) value) {
        write(part, to.append(between));
        between = ",";
      }
      to.append(']');
    } else {
      to.append(value); // a number, a truth or null
    }
  }

  private static void writeText(String text, StringBuilder to) {
    to.append('"');
    for (char c : text.toCharArray()) {
      if (c < ' ') to.append(String.format("\\u%04x", (int) c));
      else to.append(c == '"' || c == '\\' ? "\\" : "").append(c);
    }
    to.append('"');
  }
}
