package mlwork;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Shows the insides of Portable to tests/test_java.py, a line an item; what is asked for is in a file of JSON. */
final class Peek {
  private static final PrintStream OUT = new PrintStream(System.out, false);

  public static void main(String[] arguments) throws Exception {
    Portable.Data asked = Portable.Data.of("asked", Portable.json(text(arguments[1])));
    switch (arguments[0]) {
      case "texts": texts(asked.texts("texts"), new HashSet<>(asked.texts("units"))); break;
      case "letters": letters(); break;
      case "names": for (double v : asked.numbers("numbers")) say(Portable.numberName(v, false) + " " + Portable.numberName(v, true)); break;
      case "bell": for (double v : asked.numbers("numbers")) say(Double.toString(Portable.bell(v))); break;
      case "models": for (String json : asked.texts("models")) say(outcome(json, asked.parts("rows"))); break;
      case "threads": threads(Portable.read(text("model.json")), asked.parts("rows")); break;
      default: throw new IllegalArgumentException(arguments[0]);
    }
    OUT.flush();
  }

  private static String text(String path) throws IOException {
    return new String(Files.readAllBytes(Paths.get(path)), StandardCharsets.UTF_8);
  }

  private static void say(String line) {
    byte[] bytes = (line + "\n").getBytes(StandardCharsets.UTF_8);
    OUT.write(bytes, 0, bytes.length);
  }

  /** Numbers with a point and with a comma, days and microseconds both ways, truths. */
  private static void texts(List<String> texts, Set<String> units) {
    for (String text : texts) {
      String tidy = Portable.tidy(text);
      double[] first = Portable.readDate(tidy, true), last = Portable.readDate(tidy, false);
      say(Portable.readNumber(tidy, null, false, units) + " " + Portable.readNumber(tidy, null, true, units) + " " + shown(first) + " "
          + shown(last) + " " + Portable.readTruth(text));
    }
  }

  private static String shown(double[] moment) {
    return moment == null ? "NaN NaN" : moment[0] + " " + moment[1];
  }

  /** Every character: its lower case among others, the words it makes, whether it is a blank. */
  private static void letters() {
    for (int c = 0; c <= 0x10ffff; c++) {
      if (c >= 0xd800 && c < 0xe000) continue;
      String letter = new String(Character.toChars(c));
      say(Portable.cleaned("a" + letter + "b").replace(' ', '_') + "|" + String.join("_", Portable.wordsOf("ab" + letter + "cd")) + "|"
          + Portable.strip(letter).length() + "|" + Portable.tidy("a" + letter + "b").length());
    }
  }

  /** What becomes of a model.json: "read", or the message with which it is refused. */
  private static String outcome(String json, List<Portable.Data> rows) {
    Portable model;
    try {
      model = Portable.read(json);
    } catch (IllegalArgumentException refused) {
      return "refused: " + refused.getMessage().replaceAll("\\s", " ");
    }
    for (Portable.Data row : rows) {
      try {
        model.predict(row.map());
      } catch (Portable.Refused refused) { // an answer like any other
        continue;
      }
    }
    return "read";
  }

  private static String answer(Portable model, Portable.Data row) {
    try {
      Portable.Answer answer = model.predict(row.map());
      return answer.prediction + " " + answer.probabilities();
    } catch (Portable.Refused refused) {
      return "refused: " + refused.getMessage();
    }
  }

  /** How many answers of eight threads differ from those of one. */
  private static void threads(Portable model, List<Portable.Data> rows) throws Exception {
    List<String> alone = new ArrayList<>();
    for (Portable.Data row : rows) alone.add(answer(model, row));
    ExecutorService pool = Executors.newFixedThreadPool(8);
    List<Future<Integer>> found = new ArrayList<>();
    for (int t = 0; t < 8; t++) {
      int start = t;
      found.add(pool.submit(() -> {
        int differ = 0;
        for (int i = 0; i < 20 * rows.size(); i++) {
          int at = (i + start) % rows.size();
          if (!answer(model, rows.get(at)).equals(alone.get(at))) differ++;
        }
        return differ;
      }));
    }
    int differ = 0;
    for (Future<Integer> one : found) differ += one.get();
    pool.shutdown();
    say(differ + " of " + 160 * rows.size() + " answers differ, " + new HashSet<>(alone).size() + " different");
  }
}
