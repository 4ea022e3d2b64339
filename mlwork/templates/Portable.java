package mlwork;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Follows a portable model (model.json, version 1): one function an operation, row by row. Java 8, no dependency.
 *
 * <pre>
 *   Portable model = Portable.read(text);
 *   Portable.Answer answer = model.predict(row);    // row: a Map of column to text, number, truth or null
 *   answer.prediction, answer.probabilities()
 * </pre>
 *
 * A row that the model in Python refuses is refused here: {@code predict} throws {@link Refused}, which says why.
 * A model may be asked by many threads at once.
 */
public final class Portable {
  private static final double NAN = Double.NaN, ENDLESS = Double.POSITIVE_INFINITY;

  /** Says why a row has no answer. */
  public static final class Refused extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    Refused(String why) {
      super(why);
    }
  }

  /** What a model says of a row. */
  public static final class Answer {
    /** A Double for a regression; else the class as it was in training: a String, a Boolean or a Double. */
    public final Object prediction;
    private final double[] scores;
    private final List<String> names;

    Answer(Object prediction, double[] scores, List<String> names) {
      this.prediction = prediction;
      this.scores = scores;
      this.names = names;
    }

    /** The number that a regression gives; raises ClassCastException where it is no number. */
    public double number() {
      return (Double) prediction;
    }

    /** The probability of each class, in the order of training; empty where the model gives none. */
    public Map<String, Double> probabilities() {
      Map<String, Double> found = new LinkedHashMap<>();
      for (int k = 0; k < names.size(); k++) found.put(names.get(k), scores[k]);
      return found;
    }
  }

  /** What a raw row holds. */
  public static final class Column {
    /** Its key in a row, and its kind: number, truth, moment or text. */
    public final String name, kind;
    /** Of its numbers; null where there is none. */
    public final String unit;
    /** Whether a row may do without its key. */
    public final boolean optional;
    /** Frequent values; may be empty. */
    public final List<String> levels;

    Column(Data column) {
      name = column.text("name");
      kind = column.text("kind");
      unit = column.get("unit") == null ? null : column.text("unit");
      optional = column.truth("optional");
      levels = column.get("levels") == null ? Collections.<String>emptyList() : Collections.unmodifiableList(column.texts("levels"));
    }
  }

  private final List<Column> columns = new ArrayList<>();
  private final int numbers, texts;
  private final Step[] steps;
  private final boolean regression, probable;
  private final int[] scores;
  private final List<Object> classes = new ArrayList<>();
  private final List<String> names = new ArrayList<>();
  private final int positive; // number of the class that a threshold is for; -1 where there is no threshold
  private final double threshold;

  private Portable(Data spec) {
    must(spec, "mlwork portable model".equals(spec.get("format")) && spec.number("version") == 1, "be of version 1");
    for (Data column : spec.parts("columns")) columns.add(new Column(column));
    numbers = spec.whole("numbers");
    texts = spec.whole("texts");
    must(spec, numbers >= 0 && texts >= 0 && numbers <= 1 << 24 && texts <= 1 << 24, "have a number of places");
    Set<String> missing = new HashSet<>(spec.texts("missing")), units = new HashSet<>(spec.texts("units"));
    List<Step> found = new ArrayList<>();
    for (Data op : spec.parts("ops")) found.add(step(new Op(op, numbers, texts), missing, units));
    steps = found.toArray(new Step[0]);
    Data answer = spec.part("answer");
    regression = "regression".equals(answer.get("task"));
    scores = answer.wholes("scores", 0, numbers - 1);
    probable = !regression && answer.truth("probabilities");
    if (!regression) classes.addAll(answer.values("classes"));
    for (Object c : classes) names.add(c instanceof Double ? numberName((Double) c, false) : String.valueOf(c));
    must(answer, scores.length == (regression ? 1 : classes.size()), "have a score a class");
    positive = regression || answer.get("threshold") == null ? -1 : classes.indexOf(answer.get("positive"));
    threshold = regression || answer.get("threshold") == null ? NAN : answer.number("threshold");
    must(answer, Double.isNaN(threshold) || (positive >= 0 && classes.size() == 2), "have its threshold on one of two classes");
  }

  /** Read a model: the text of model.json. Throws IllegalArgumentException where it is none that can be followed. */
  public static Portable read(String text) {
    return new Portable(Data.of("model.json", json(text)));
  }

  /** Read a model from an open file or resource, which is closed. */
  public static Portable read(InputStream from) throws IOException {
    try (InputStream in = from) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      byte[] some = new byte[1 << 16];
      for (int n = in.read(some); n >= 0; n = in.read(some)) bytes.write(some, 0, n);
      return read(new String(bytes.toByteArray(), StandardCharsets.UTF_8));
    }
  }

  /** What a row holds. */
  public List<Column> columns() {
    return Collections.unmodifiableList(columns);
  }

  /** Answer for a raw row: each column with a String, a Number, a Boolean or null. Throws {@link Refused}. */
  public Answer predict(Map<String, ?> row) {
    State s = new State(numbers, texts, row);
    for (Step step : steps) step.run(s);
    double[] found = new double[scores.length];
    int best = 0;
    for (int k = 0; k < found.length; k++) {
      found[k] = s.numbers[scores[k]];
      if (Double.isNaN(found[k] - found[k])) throw new Refused("the model has no answer for this row"); // also where it is infinite
      if (found[k] > found[best]) best = k;
    }
    if (regression) return new Answer(found[0], found, Collections.<String>emptyList());
    if (positive >= 0) best = found[positive] >= threshold ? positive : 1 - positive;
    return new Answer(classes.get(best), found, probable ? names : Collections.<String>emptyList());
  }

  // ---- texts -------------------------------------------------------------------------------------------------------------------
  private static boolean isBlank(char c) {
    return c <= ' ' ? (c >= '\t' && c <= '\r') || c >= 0x1c
        : c >= 0x85 && (c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f
            || c == 0x205f || c == 0x3000);
  }

  static String strip(String text) {
    int start = 0, end = text.length();
    while (start < end && isBlank(text.charAt(start))) start++;
    while (end > start && isBlank(text.charAt(end - 1))) end--;
    return text.substring(start, end);
  }

  static String tidy(String text) {
    StringBuilder made = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean blank = c == ' ' || c == 0xa0 || c == 0x2009 || c == 0x202f || c == '\t' || c == '\n' || c == '\r';
      if (!blank) made.append(c == 0x2212 ? '-' : c == 0x2019 ? '\'' : c);
      else if (made.length() > 0 && made.charAt(made.length() - 1) != ' ') made.append(' ');
    }
    int end = made.length();
    return made.substring(0, end > 0 && made.charAt(end - 1) == ' ' ? end - 1 : end);
  }

  static String asciiLower(String text) {
    char[] letters = text.toCharArray();
    for (int i = 0; i < letters.length; i++) if (letters[i] >= 'A' && letters[i] <= 'Z') letters[i] += 32;
    return new String(letters);
  }

  /** Tables of letters: Latin, Greek, Cyrillic and Armenian, each by itself, whatever stands beside it. */
  private static final class Letters {
    static final char[] LOWER = new char[0x2000], PLAIN = new char[0x2000]; // PLAIN: 0 for what is left out

    static {
      for (int c = 0; c < 0x2000; c++) {
        String letter = String.valueOf((char) c), low = letter.toLowerCase(Locale.ROOT);
        LOWER[c] = (c < 0x590 || c >= 0x1e00) && low.length() == 1 ? low.charAt(0) : (char) c;
        PLAIN[c] = c >= 0x300 && c < 0x370 ? 0 : (char) c;
        if ((c >= 0xc0 && c < 0x250) || (c >= 0x1e00 && c < 0x1f00)) {
          String base = Normalizer.normalize(low, Normalizer.Form.NFKD).replaceAll("\\p{M}+", "");
          if (base.length() == 1 && isPlain(base.charAt(0))) PLAIN[c] = base.charAt(0);
        }
      }
      LOWER[0x37f] = 0x3f3; // these came with Unicode 7, and Java 8 is older
      for (int c = 0x528; c <= 0x52e; c += 2) LOWER[c] = (char) (c + 1);
    }
  }

  private static boolean isPlain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  }

  /** Lower case, and one blank between words. */
  static String cleaned(String text) {
    StringBuilder made = new StringBuilder(text.length());
    boolean gap = false;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (isBlank(c)) {
        gap = made.length() > 0;
      } else {
        if (gap) made.append(' ');
        made.append(c < 0x2000 ? Letters.LOWER[c] : c);
        gap = false;
      }
    }
    return made.toString();
  }

  /** Words of two or more letters from a to z or digits, without case and accents. */
  static List<String> wordsOf(String text) {
    List<String> found = new ArrayList<>();
    StringBuilder word = new StringBuilder();
    for (int i = 0; i <= text.length(); i++) {
      char c = i == text.length() ? ' ' : text.charAt(i);
      char plain = c >= 'A' && c <= 'Z' ? (char) (c + 32) : c < 0x2000 ? Letters.PLAIN[c] : c;
      if (isPlain(plain)) {
        word.append(plain);
      } else if (plain != 0 || c == 0) {
        if (word.length() > 1) found.add(word.toString());
        word.setLength(0);
      }
    }
    return found;
  }

  /** 15 digits, without noughts at the end, as C writes %.15g. */
  static String numberName(double number, boolean point) {
    if (Double.isInfinite(number)) return number > 0 ? "inf" : "-inf";
    if (number == Math.rint(number) && Math.abs(number) < 1e15) {
      String whole = number == 0 && 1 / number < 0 ? "-0" : Long.toString((long) number);
      return point ? whole + ".0" : whole;
    }
    BigDecimal rounded = new BigDecimal(number).round(new MathContext(15, RoundingMode.HALF_EVEN)).stripTrailingZeros();
    int exponent = rounded.precision() - rounded.scale() - 1;
    if (exponent < -4 || exponent >= 15) {
      String digits = rounded.unscaledValue().abs().toString(), size = Integer.toString(Math.abs(exponent));
      return (number < 0 ? "-" : "") + digits.charAt(0) + (digits.length() > 1 ? "." + digits.substring(1) : "")
          + (exponent < 0 ? "e-" : "e+") + (size.length() < 2 ? "0" : "") + size;
    }
    return rounded.toPlainString() + (point && rounded.scale() <= 0 ? ".0" : "");
  }

  // ---- the grammar of numbers, dates and truths --------------------------------------------------------------------------------
  private static Pattern number(String group, String mark) {
    return Pattern.compile("([-+]?) ?(?:(€|\\$|£|[Ee][Uu][Rr]|[Uu][Ss][Dd]|[Gg][Bb][Pp]|[Cc][Hh][Ff]) ?)?([-+]?)"
        + "([0-9]{1,3}(?:[" + group + "' ][0-9]{3})+|[0-9]+)?(?:" + mark + "([0-9]*))?(?:[eE]([-+]?[0-9]{1,3}))?( ?[^-+0-9.,' ].*)?",
        Pattern.DOTALL);
  }

  private static final Pattern NUMBER_POINT = number(",", "\\."), NUMBER_COMMA = number(".", ",");
  private static final Pattern RATE = Pattern.compile("[a-zµ]{1,5}/[a-z0-9²³]{1,6}"), WORD = Pattern.compile("[a-z]{3,12}");

  /** How many of the wanted unit one of the found units is; NaN where it measures something else. */
  private static double factorOf(String found, Map<String, Double> units, Set<String> any) {
    int start = 0, end = found.length();
    while (start < end && found.charAt(start) == ' ') start++;
    while (end > start && found.charAt(end - 1) == ' ') end--;
    while (end > start && found.charAt(end - 1) == '.') end--;
    String name = asciiLower(found.substring(start, end));
    if (name.isEmpty()) return 1;
    if (units != null) return units.getOrDefault(name, NAN);
    boolean named = RATE.matcher(name).matches() || (found.startsWith(" ") && WORD.matcher(name).matches());
    return named || any.contains(name) ? 1 : NAN;
  }

  private static String or(String text, String other) {
    return text == null || text.isEmpty() ? other : text;
  }

  /** Gives NaN where the grammar does not match. */
  static double readNumber(String text, Map<String, Double> units, boolean comma, Set<String> any) {
    Matcher m = (comma ? NUMBER_COMMA : NUMBER_POINT).matcher(text);
    if (!m.matches()) return NAN;
    String sign = m.group(1), money = m.group(2), second = m.group(3), whole = or(m.group(4), ""), part = or(m.group(5), "");
    if ((whole.isEmpty() && part.isEmpty()) || (!sign.isEmpty() && !second.isEmpty()) || (money != null && m.group(7) != null)) return NAN;
    double factor = factorOf(money != null ? money : or(m.group(7), ""), units, any);
    if (Double.isNaN(factor)) return NAN;
    StringBuilder digits = new StringBuilder(sign).append(second).append('0');
    for (int i = 0; i < whole.length(); i++) if (whole.charAt(i) >= '0' && whole.charAt(i) <= '9') digits.append(whole.charAt(i));
    double read = Double.parseDouble(digits.append('.').append(or(part, "0")).append('e').append(or(m.group(6), "0")).toString()) * factor;
    return Double.isInfinite(read) ? NAN : read;
  }

  private static final List<String> MONTHS = Arrays.asList("jan feb mar apr may jun jul aug sep oct nov dec".split(" "));
  private static final List<String> MONTH_NAMES =
      Arrays.asList("january february march april may june july august september october november december".split(" "));
  private static final String CLOCK = "(?:[T ,]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\\.([0-9]{1,9}))?)?(?: ?([AaPp])\\.?[Mm]\\.?)?"
      + "(?: ?(Z|UTC|[+-][0-9]{2}:?[0-9]{2}))?)?";
  private static final Pattern YEAR_FIRST = Pattern.compile("([0-9]{4})([-/.])([0-9]{1,2})\\2([0-9]{1,2})" + CLOCK);
  private static final Pattern YEAR_LAST = Pattern.compile("([0-9]{1,2})([-/.])([0-9]{1,2})\\2([0-9]{4}|[0-9]{2})" + CLOCK);
  private static final Pattern DAY_NAME = Pattern.compile("([0-9]{1,2})\\.?[ -]([A-Za-z]{3,9})\\.?,?[ -]([0-9]{4}|[0-9]{2})" + CLOCK);
  private static final Pattern NAME_DAY = Pattern.compile("([A-Za-z]{3,9})\\.? ([0-9]{1,2}),? ([0-9]{4})" + CLOCK);
  private static final long DAY = 86_400_000_000L, NONE = Long.MIN_VALUE; // microseconds; what is no time

  private static int monthOf(String written) {
    String name = asciiLower(written);
    boolean known = MONTH_NAMES.contains(name) || name.length() == 3 || name.equals("sept");
    return known ? MONTHS.indexOf(name.substring(0, 3)) + 1 : 0;
  }

  /** Days since 2000-01-01, microseconds of the day; null where the grammar does not match. */
  static double[] readDate(String text, boolean dayfirst) {
    Matcher m = YEAR_FIRST.matcher(text);
    if (m.matches()) return moment(m.group(1), whole(m.group(3)), whole(m.group(4)), clockOf(m, 5));
    if (m.usePattern(YEAR_LAST).matches()) {
      boolean first = dayfirst || m.group(2).equals(".");
      return moment(m.group(4), whole(m.group(first ? 3 : 1)), whole(m.group(first ? 1 : 3)), clockOf(m, 5));
    }
    if (m.usePattern(DAY_NAME).matches()) return moment(m.group(3), monthOf(m.group(2)), whole(m.group(1)), clockOf(m, 4));
    if (m.usePattern(NAME_DAY).matches()) return moment(m.group(3), monthOf(m.group(1)), whole(m.group(2)), clockOf(m, 4));
    return null;
  }

  private static int whole(String digits) {
    return Integer.parseInt(digits);
  }

  private static double[] moment(String written, int month, int day, long past) {
    int year = whole(written) + (written.length() == 4 ? 0 : whole(written) < 69 ? 2000 : 1900);
    if (past == NONE || !isDay(year, month, day)) return null;
    long days = daysOf(year, month, day) + Math.floorDiv(past, DAY);
    return days < FIRST || days > LAST ? null : new double[] {days - EPOCH, Math.floorMod(past, DAY)};
  }

  /** Microseconds since midnight UTC, of the groups from `g` on; NONE for an hour that does not exist. */
  private static long clockOf(Matcher m, int g) {
    if (m.group(g) == null) return 0;
    String half = m.group(g + 4), zone = m.group(g + 5);
    int hours = whole(m.group(g)), minutes = whole(m.group(g + 1)), seconds = whole(or(m.group(g + 2), "0"));
    if (hours > (half == null ? 23 : 12) || minutes > 59 || seconds > 59 || (half != null && hours == 0)) return NONE;
    if (half != null) hours = hours % 12 + ("Pp".contains(half) ? 12 : 0);
    int fraction = whole((or(m.group(g + 3), "0") + "00000").substring(0, 6));
    long past = ((hours * 60L + minutes) * 60 + seconds) * 1_000_000 + fraction;
    if (zone == null || zone.equals("Z") || zone.equals("UTC")) return past;
    long shift = (whole(zone.substring(1, 3)) * 60L + whole(zone.substring(zone.length() - 2))) * 60_000_000;
    return zone.charAt(0) == '+' ? past - shift : past + shift;
  }

  private static boolean isDay(int year, int month, int day) {
    boolean leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    int most = month == 2 ? (leap ? 29 : 28) : month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
    return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= most;
  }

  /** Days since 1970-01-01 of a day of the Gregorian calendar. */
  private static int daysOf(int year, int month, int day) {
    int y = month > 2 ? year : year - 1, era = Math.floorDiv(y, 400), ofEra = y - era * 400;
    int ofYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719468;
  }

  /** Year, month and day of days since 1970-01-01. */
  private static int[] civilOf(int days) {
    int z = days + 719468, era = Math.floorDiv(z, 146097), ofEra = z - era * 146097;
    int ofYear = (ofEra - ofEra / 1460 + ofEra / 36524 - ofEra / 146096) / 365;
    int rest = ofEra - (365 * ofYear + ofYear / 4 - ofYear / 100), m = (5 * rest + 2) / 153, month = m < 10 ? m + 3 : m - 9;
    return new int[] {ofYear + era * 400 + (month <= 2 ? 1 : 0), month, rest - (153 * m + 2) / 5 + 1};
  }

  private static final int EPOCH = daysOf(2000, 1, 1), LAST = daysOf(9999, 12, 31), FIRST = daysOf(1, 1, 1);
  private static final Set<String> YES = new HashSet<>(Arrays.asList("yes y true t on 1 1.0 ja oui si".split(" ")));
  private static final Set<String> NO = new HashSet<>(Arrays.asList("no n false f off 0 0.0 nein non".split(" ")));

  static double readTruth(String text) {
    String word = asciiLower(tidy(text));
    return YES.contains(word) ? 1 : NO.contains(word) ? 0 : NAN;
  }

  // ---- cells of a raw row ------------------------------------------------------------------------------------------------------
  private static Step cell(Op op, Set<String> missing, Set<String> units) {
    String name = op.text("name"), kind = op.text("kind");
    boolean optional = op.truth("optional"), point = op.truth("point");
    String decimal = op.text("decimal");
    List<String> truths = op.texts("truths");
    op.must(truths.size() == 2, "have two names of truths");
    Cell act;
    switch (kind) {
      case "number": act = (v, s) -> s.numbers[op.out] = numberCell(v, missing, units); break;
      case "truth": act = (v, s) -> s.numbers[op.out] = truthCell(v, missing); break;
      case "moment": act = (v, s) -> momentCell(v, missing, s.numbers, op.out); break;
      case "text": act = (v, s) -> s.texts[op.out] = textCell(v, point, decimal, truths); break;
      default: throw op.wrong("be of a known kind");
    }
    return s -> {
      Object value = s.row.get(name);
      if (value == null && !optional && !s.row.containsKey(name)) {
        throw new Refused("a row must have " + name + "; unknown values may be null");
      }
      try {
        act.run(value instanceof Number ? (Object) ((Number) value).doubleValue() : value, s);
      } catch (Unmeant none) {
        String got = String.valueOf(value);
        throw new Refused(name + " must be a " + kind + "; got " + (got.length() > 80 ? got.substring(0, 80) + "..." : got));
      }
    };
  }

  private interface Cell {
    void run(Object value, State s) throws Unmeant;
  }

  /** A cell that cannot be meant. */
  private static final class Unmeant extends Exception {
    private static final long serialVersionUID = 1L;

    Unmeant() {
      super(null, null, false, false);
    }
  }

  private static double meant(double read) throws Unmeant {
    if (Double.isNaN(read)) throw new Unmeant();
    return read;
  }

  private static double numberOf(Object value) throws Unmeant {
    if (value instanceof Boolean) return (Boolean) value ? 1 : 0;
    if (value instanceof Double) return (Double) value;
    throw new Unmeant();
  }

  private static final Set<String> WITHOUT_END =
      new HashSet<>(Arrays.asList("inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"));

  private static double numberCell(Object value, Set<String> missing, Set<String> units) throws Unmeant {
    if (value == null) return NAN;
    if (value instanceof String) {
      String text = strip((String) value);
      return missing.contains(text) || WITHOUT_END.contains(asciiLower(text)) ? NAN : meant(readNumber(tidy(text), null, false, units));
    }
    double number = numberOf(value);
    return Double.isInfinite(number) ? NAN : number;
  }

  private static double truthCell(Object value, Set<String> missing) throws Unmeant {
    if (value == null) return NAN;
    if (value instanceof String) return missing.contains(strip((String) value)) ? NAN : meant(readTruth(strip((String) value)));
    double number = numberOf(value);
    if (number == 0 || number == 1 || Double.isNaN(number)) return number;
    throw new Unmeant();
  }

  private static void momentCell(Object value, Set<String> missing, double[] numbers, int out) throws Unmeant {
    String text = value instanceof String ? strip((String) value) : null;
    boolean none = value == null || (value instanceof Double && ((Double) value).isNaN()) || missing.contains(text);
    if (text == null && !none) throw new Unmeant();
    double[] read = none ? NO_MOMENT : readDate(tidy(text), true);
    if (read == null) throw new Unmeant();
    numbers[out] = read[0];
    numbers[out + 1] = read[1];
  }

  private static String textCell(Object value, boolean point, String decimal, List<String> truths) throws Unmeant {
    if (value == null || value instanceof String) return (String) value;
    if (value instanceof Boolean) return truths.get((Boolean) value ? 1 : 0);
    double number = numberOf(value);
    return Double.isNaN(number) ? null : numberName(number, point).replace(".", decimal);
  }

  private static final double[] NO_MOMENT = {NAN, NAN};

  // ---- curves ------------------------------------------------------------------------------------------------------------------
  /** Piecewise linear, as numpy's interp: beyond the ends, the ends. */
  private static double interpolated(double x, double[] xs, double[] ys) {
    if (Double.isNaN(x)) return NAN;
    int last = xs.length - 1;
    if (x > xs[last]) return ys[last];
    if (x < xs[0]) return ys[0];
    int low = 0, high = last + 1; // the last place that is not above x
    while (high - low > 1) {
      int middle = (low + high) >>> 1;
      if (xs[middle] <= x) low = middle;
      else high = middle;
    }
    if (low == last) return ys[last];
    return xs[low] == x ? ys[low] : (ys[low + 1] - ys[low]) / (xs[low + 1] - xs[low]) * (x - xs[low]) + ys[low];
  }

  private static double polynomial(double x, double... coefficients) {
    double sum = 0;
    for (double c : coefficients) sum = sum * x + c;
    return sum;
  }

  // The quantile of the bell, after Cephes (Moshier 1989), as SciPy computes it.
  private static final double[] P0 = {-5.99633501014107895267e1, 9.80010754185999661536e1, -5.66762857469070293439e1,
      1.39312609387279679503e1, -1.23916583867381258016e0};
  private static final double[] Q0 = {1, 1.95448858338141759834e0, 4.67627912898881538453e0, 8.63602421390890590575e1,
      -2.25462687854119370527e2, 2.00260212380060660359e2, -8.20372256168333339912e1, 1.59056225126211695515e1, -1.18331621121330003142e0};
  private static final double[] P1 = {4.05544892305962419923e0, 3.15251094599893866154e1, 5.71628192246421288162e1,
      4.40805073893200834700e1, 1.46849561928858024014e1, 2.18663306850790267539e0, -1.40256079171354495875e-1, -3.50424626827848203418e-2,
      -8.57456785154685413611e-4};
  private static final double[] Q1 = {1, 1.57799883256466749731e1, 4.53907635128879210584e1, 4.13172038254672030440e1,
      1.50425385692907503408e1, 2.50464946208309415979e0, -1.42182922854787788574e-1, -3.80806407691578277194e-2, -9.33259480895457427372e-4};
  private static final double[] P2 = {3.23774891776946035970e0, 6.91522889068984211695e0, 3.93881025292474443415e0,
      1.33303460815807542389e0, 2.01485389549179081538e-1, 1.23716634817820021358e-2, 3.01581553508235416007e-4, 2.65806974686737550832e-6,
      6.23974539184983293730e-9};
  private static final double[] Q2 = {1, 6.02427039364742014255e0, 3.67983563856160859403e0, 1.37702099489081330271e0,
      2.16236993594496635890e-1, 1.34204006088543189037e-2, 3.28014464682127739104e-4, 2.89247864745380683936e-6, 6.79019408009981274425e-9};

  static double bell(double share) {
    if (share <= 0) return -ENDLESS;
    if (share >= 1) return ENDLESS;
    boolean upper = share > 1 - Math.exp(-2);
    double y = upper ? 1 - share : share;
    if (y > Math.exp(-2)) {
      double z = y - 0.5, z2 = z * z;
      return (z + z * (z2 * polynomial(z2, P0) / polynomial(z2, Q0))) * 2.50662827463100050242;
    }
    double x = Math.sqrt(-2 * Math.log(y)), z = 1 / x;
    double rest = x < 8 ? z * polynomial(z, P1) / polynomial(z, Q1) : z * polynomial(z, P2) / polynomial(z, Q2);
    double found = x - Math.log(x) / x - rest;
    return upper ? found : -found;
  }

  private static final double EDGE = 1e-7, LEAST = 0x1p-52, LOW_END = bell(EDGE - LEAST), HIGH_END = bell(1 - (EDGE - LEAST));

  private static double[] flipped(double[] values) {
    double[] made = new double[values.length];
    for (int i = 0; i < made.length; i++) made[i] = -values[made.length - 1 - i];
    return made;
  }

  private static Step rank(Op op) {
    double[][] q = op.rows("quantiles"), r = op.rows("references"), q2 = new double[q.length][], r2 = new double[r.length][];
    checkCurves(op, q, r);
    for (int i = 0; i < q.length; i++) {
      q2[i] = flipped(q[i]);
      r2[i] = flipped(r[i]);
    }
    boolean onBell = op.truth("bell");
    double edge = onBell ? EDGE : 0;
    return each(op, (x, i) -> {
      if (Double.isNaN(x)) return NAN;
      double first = q[i][0], last = q[i][q[i].length - 1];
      double share = 0.5 * (interpolated(x, q[i], r[i]) - interpolated(-x, q2[i], r2[i]));
      if (onBell ? x + edge > last : x == last) share = 1;
      if (onBell ? x - edge < first : x == first) share = 0;
      return onBell ? Math.min(Math.max(bell(share), LOW_END), HIGH_END) : share;
    });
  }

  private static Step curve(Op op) {
    double[][] x = op.rows("x"), y = op.rows("y");
    checkCurves(op, x, y);
    return each(op, (v, i) -> interpolated(v, x[i], y[i]));
  }

  private static void checkCurves(Op op, double[][] x, double[][] y) {
    op.must(x.length == op.in.length && y.length == op.in.length, "have a curve a column");
    for (int i = 0; i < x.length; i++) op.must(x[i].length > 0 && x[i].length == y[i].length, "have curves of points");
  }

  /** Yeo and Johnson, Biometrika 87 (2000). */
  private static double powered(double x, double p) {
    if (Double.isNaN(x)) return NAN;
    double up = Math.log1p(Math.abs(x));
    if (x >= 0) return Math.abs(p) < LEAST ? up : Math.expm1(p * up) / p;
    return Math.abs(p - 2) <= LEAST ? -up : -Math.expm1((2 - p) * up) / (2 - p);
  }

  private interface Bend {
    double of(double z);
  }

  private static double logistic(double z) {
    double e = Math.exp(-Math.abs(z));
    return z < 0 ? e / (1 + e) : 1 / (1 + e);
  }

  private static Bend bend(Op op) {
    switch (op.text("bend")) {
      case "identity": return z -> z;
      case "logistic": return Portable::logistic;
      case "relu": return z -> Math.max(z, 0);
      case "tanh": return Math::tanh;
      case "exp": return Math::exp;
      case "power":
        double power = op.number("power");
        return z -> Math.pow(z, power);
      default: throw op.wrong("have a known bend");
    }
  }

  // ---- operations --------------------------------------------------------------------------------------------------------------
  /** The places of one row. */
  private static final class State {
    final double[] numbers;
    final String[] texts;
    final Map<String, ?> row;

    State(int numbers, int texts, Map<String, ?> row) {
      this.numbers = new double[numbers];
      this.texts = new String[texts];
      this.row = row;
      Arrays.fill(this.numbers, NAN);
    }
  }

  /** An operation with all that it needs. */
  private interface Step {
    void run(State s);
  }

  private interface Number1 {
    double of(double value, int i);
  }

  private interface Text1 {
    double of(String text, int i);
  }

  private static Step each(Op op, Number1 act) {
    op.writes(op.in.length);
    return s -> {
      for (int i = 0; i < op.in.length; i++) s.numbers[op.out + i] = act.of(s.numbers[op.in[i]], i);
    };
  }

  private static Step eachText(Op op, Text1 act) {
    op.writes(op.in.length);
    return s -> {
      for (int i = 0; i < op.in.length; i++) s.numbers[op.out + i] = act.of(s.texts[op.in[i]], i);
    };
  }

  private static double[] taken(Op op, State s) {
    double[] x = new double[op.in.length];
    for (int i = 0; i < x.length; i++) x[i] = s.numbers[op.in[i]];
    return x;
  }

  private static final Set<String> READS_TEXT = new HashSet<>(Arrays.asList(
      "read", "date", "truth", "respell", "clean", "words", "fill_text", "gap_text", "refuse_text", "code"));

  private static Step step(Op op, Set<String> missing, Set<String> units) {
    switch (op.name) {
      case "cell": return cell(op, missing, units);
      case "read": return read(op, units);
      case "date": return date(op);
      case "truth": return eachText(op.one(), (t, i) -> t == null ? NAN : readTruth(t));
      case "respell": return respell(op);
      case "clean": return text(op.one(), t -> t == null ? "" : cleaned(t));
      case "name": return name(op);
      case "words": return words(op);
      case "fill": return fill(op);
      case "fill_text": return fillText(op);
      case "blank": return blank(op);
      case "gap": return each(op, (v, i) -> Double.isNaN(v) ? 1 : 0);
      case "gap_text": return eachText(op, (t, i) -> t == null ? 1 : 0);
      case "refuse": return refuse(op);
      case "refuse_text": return refuseText(op);
      case "code": return code(op);
      case "code_number": return codeNumber(op);
      case "spread": return spread(op);
      case "table": return table(op);
      case "constant": return constant(op);
      case "clip": return clip(op);
      case "affine": return affine(op);
      case "power": return power(op);
      case "rank": return rank(op);
      case "curve": return curve(op);
      case "calendar": return calendar(op);
      case "layer": return layer(op);
      case "bend": return bendEach(op);
      case "distance": return distance(op);
      case "nearest": return nearest(op);
      case "trees": return trees(op);
      case "softmax": return softmax(op);
      case "share": return share(op);
      case "mean": return mean(op);
      case "duel": return duel(op);
      default: throw op.wrong("be a known operation");
    }
  }

  private static Step read(Op op, Set<String> any) {
    Map<String, Double> units = op.get("units") == null ? null : op.numbersByName("units");
    boolean comma = op.text("decimal").equals(",");
    double[] codes = op.numbers("codes");
    return eachText(op.one(), (t, i) -> t == null ? NAN : without(codes, readNumber(tidy(t), units, comma, any)));
  }

  private static double without(double[] codes, double v) {
    for (double code : codes) if (v == code) return NAN;
    return v;
  }

  private static Step date(Op op) {
    boolean dayfirst = op.truth("dayfirst");
    op.one().writes(2);
    return s -> {
      String t = s.texts[op.in[0]];
      double[] read = t == null ? null : readDate(tidy(t), dayfirst);
      s.numbers[op.out] = read == null ? NAN : read[0];
      s.numbers[op.out + 1] = read == null ? NAN : read[1];
    };
  }

  private interface Change {
    String of(String text);
  }

  private static Step text(Op op, Change act) {
    op.writes(1);
    return s -> s.texts[op.out] = act.of(s.texts[op.in[0]]);
  }

  private static Step respell(Op op) {
    Map<String, String> table = op.textsByName("table");
    String other = op.get("other") == null ? null : op.text("other");
    return text(op.one(), t -> t == null ? null : table.getOrDefault(t, other == null ? t : other));
  }

  private static Step name(Op op) {
    boolean truth = op.truth("truth");
    op.one().writes(1);
    return s -> {
      double v = s.numbers[op.in[0]];
      s.texts[op.out] = Double.isNaN(v) ? null : truth ? (v == 0 ? "False" : "True") : numberName(v, false);
    };
  }

  private static Step words(Op op) {
    List<String> words = op.texts("words");
    double[] idf = op.numbers("idf");
    op.must(idf.length == words.size(), "have a weight a word");
    op.one().writes(idf.length);
    Map<String, Integer> place = new HashMap<>();
    for (int j = 0; j < idf.length; j++) place.put(words.get(j), j);
    return s -> {
      double[] weights = new double[idf.length];
      for (String word : wordsOf(or(s.texts[op.in[0]], ""))) {
        Integer j = place.get(word);
        if (j != null) weights[j] += 1;
      }
      double sum = 0;
      for (int j = 0; j < idf.length; j++) {
        weights[j] *= idf[j];
        sum += weights[j] * weights[j];
      }
      double length = Math.sqrt(sum);
      for (int j = 0; j < idf.length; j++) s.numbers[op.out + j] = length == 0 ? weights[j] : weights[j] / length;
    };
  }

  private static Step fill(Op op) {
    double[] value = op.each("value", NAN);
    return each(op, (v, i) -> Double.isNaN(v) ? value[i] : v);
  }

  private static Step fillText(Op op) {
    List<String> value = op.texts("value");
    op.must(value.size() == op.in.length, "have a value a column");
    op.writes(op.in.length);
    return s -> {
      for (int i = 0; i < op.in.length; i++) s.texts[op.out + i] = s.texts[op.in[i]] == null ? value.get(i) : s.texts[op.in[i]];
    };
  }

  private static Step blank(Op op) {
    double[][] codes = op.rows("codes");
    op.must(codes.length == op.in.length, "have codes of each column");
    return each(op, (v, i) -> without(codes[i], v));
  }

  private static Step refuse(Op op) {
    double[] low = op.each("low", -ENDLESS), high = op.each("high", ENDLESS);
    boolean missing = op.truth("missing");
    return s -> {
      for (int i = 0; i < op.in.length; i++) {
        double v = s.numbers[op.in[i]];
        if (Double.isNaN(v) ? !missing : v < low[i] || v > high[i]) throw new Refused("a value is missing, or too large for the model");
      }
    };
  }

  private static Step refuseText(Op op) {
    return s -> {
      for (int place : op.in) if (s.texts[place] == null) throw new Refused("a value is missing that the model must know");
    };
  }

  private static Step code(Op op) {
    double[] missing = op.each("missing", NAN), unknown = op.each("unknown", NAN);
    List<Map<String, Double>> known = new ArrayList<>();
    List<?> levels = op.values("levels");
    double[][] codes = op.rows("codes");
    op.must(levels.size() == op.in.length && codes.length == op.in.length, "have levels of each column");
    for (int i = 0; i < codes.length; i++) {
      List<String> mine = op.textsOf(levels.get(i), "levels");
      op.must(mine.size() == codes[i].length, "have a code a level");
      known.add(new HashMap<String, Double>());
      for (int j = 0; j < codes[i].length; j++) known.get(i).put(mine.get(j), codes[i][j]);
    }
    return eachText(op, (t, i) -> t == null ? missing[i] : known.get(i).getOrDefault(t, unknown[i]));
  }

  private static Step codeNumber(Op op) {
    double[] missing = op.each("missing", NAN), unknown = op.each("unknown", NAN);
    double[][] levels = op.rows("levels"), codes = op.rows("codes");
    op.must(levels.length == op.in.length && codes.length == op.in.length, "have levels of each column");
    for (int i = 0; i < levels.length; i++) { // sorted, to be found by halving
      op.must(levels[i].length == codes[i].length, "have a code a level");
      TreeMap<Double, Double> sorted = new TreeMap<>();
      for (int j = 0; j < levels[i].length; j++) sorted.put(levels[i][j] + 0.0, codes[i][j]);
      levels[i] = unboxed(sorted.keySet());
      codes[i] = unboxed(sorted.values());
    }
    return each(op, (v, i) -> {
      if (Double.isNaN(v)) return missing[i];
      int j = Arrays.binarySearch(levels[i], v + 0.0); // -0 is 0
      return j < 0 ? unknown[i] : codes[i][j];
    });
  }

  private static double[] unboxed(Iterable<Double> values) {
    List<Double> found = new ArrayList<>();
    for (Double v : values) found.add(v);
    double[] made = new double[found.size()];
    for (int i = 0; i < made.length; i++) made[i] = found.get(i);
    return made;
  }

  private static Step spread(Op op) {
    op.one();
    return s -> {
      for (int j = 0; j < op.n; j++) s.numbers[op.out + j] = s.numbers[op.in[0]] == j ? 1 : 0;
    };
  }

  private static Step table(Op op) {
    double[][] rows = op.rows("rows");
    op.one();
    for (double[] row : rows) op.writes(row.length);
    return s -> {
      double v = s.numbers[op.in[0]];
      if (!(v >= 0 && v < rows.length)) throw new Refused("the model has no answer for this row");
      System.arraycopy(rows[(int) v], 0, s.numbers, op.out, op.n);
    };
  }

  private static Step constant(Op op) {
    double[] value = op.numbers("value");
    op.writes(value.length);
    return s -> System.arraycopy(value, 0, s.numbers, op.out, value.length);
  }

  private static Step clip(Op op) {
    double[] low = op.each("low", -ENDLESS), high = op.each("high", ENDLESS);
    return each(op, (v, i) -> Math.min(Math.max(v, low[i]), high[i]));
  }

  private static Step affine(Op op) {
    double[] subtract = op.each("subtract", NAN), divide = op.each("divide", NAN);
    double[] multiply = op.each("multiply", NAN), add = op.each("add", NAN);
    return each(op, (v, i) -> (v - subtract[i]) / divide[i] * multiply[i] + add[i]);
  }

  private static Step power(Op op) {
    double[] power = op.each("power", NAN);
    return each(op, (v, i) -> powered(v, power[i]));
  }

  private static final List<String> PARTS = Arrays.asList("year", "month", "day", "weekday", "hour", "elapsed");

  private static Step calendar(Op op) {
    List<String> parts = op.texts("parts");
    op.must(op.in.length == 2 && PARTS.containsAll(parts), "have known parts of a moment");
    op.writes(parts.size());
    return s -> {
      double days = s.numbers[op.in[0]], rest = s.numbers[op.in[1]];
      int day = (int) days + EPOCH;
      int[] civil = civilOf(day);
      for (int i = 0; i < op.n; i++) {
        int part = PARTS.indexOf(parts.get(i));
        double found = part < 3 ? civil[part] : part == 3 ? Math.floorMod(day + 3, 7)
            : part == 4 ? Math.floor(rest / 3_600_000_000.0) : (days * DAY + rest) / DAY;
        s.numbers[op.out + i] = Double.isNaN(days) ? NAN : found;
      }
    };
  }

  private static Step layer(Op op) {
    double[][] weights = op.rows("weights");
    double[] bias = op.numbers("bias");
    Bend bend = bend(op);
    op.writes(bias.length);
    op.must(weights.length == bias.length, "have a bias a row of weights");
    for (double[] row : weights) op.must(row.length == op.in.length, "have a weight a column");
    return s -> {
      double[] x = taken(op, s);
      for (int j = 0; j < bias.length; j++) {
        double[] w = weights[j];
        double z = 0;
        for (int i = 0; i < x.length; i++) z += w[i] * x[i];
        s.numbers[op.out + j] = bend.of(z + bias[j]);
      }
    };
  }

  private static Step bendEach(Op op) {
    double[] times = op.each("times", NAN);
    Bend bend = bend(op);
    return each(op, (v, i) -> bend.of(v * times[i]));
  }

  private static Step distance(Op op) {
    double[][] centres = op.rows("centres"), weights = op.get("weights") == null ? null : op.rows("weights");
    op.writes(centres.length);
    op.must(weights == null || weights.length == centres.length, "have weights a centre");
    for (int j = 0; j < centres.length; j++) {
      op.must(centres[j].length == op.in.length && (weights == null || weights[j].length == op.in.length), "have a number a column");
    }
    return s -> {
      double[] x = taken(op, s);
      for (int j = 0; j < centres.length; j++) {
        double sum = 0;
        for (int i = 0; i < x.length; i++) {
          double d = x[i] - centres[j][i];
          sum += weights == null ? d * d : weights[j][i] * (d * d);
        }
        s.numbers[op.out + j] = sum;
      }
    };
  }

  private static Step nearest(Op op) {
    double[][] answers = op.rows("answers");
    boolean inverse = op.truth("inverse");
    int k = op.whole("k");
    op.must(k > 0 && k <= op.in.length && answers.length == op.in.length, "have an answer a row, and k of them");
    for (double[] answer : answers) op.writes(answer.length);
    return s -> {
      double[] far = new double[k];
      int[] rows = nearestRows(op, s, far);
      boolean here = inverse && far[0] == 0;
      double total = 0;
      for (int j = 0; j < k; j++) {
        far[j] = here ? (far[j] == 0 ? 1 : 0) : inverse ? 1 / far[j] : 1;
        total += far[j];
      }
      for (int c = 0; c < op.n; c++) {
        double sum = 0;
        for (int j = 0; j < k; j++) sum += far[j] * answers[rows[j]][c];
        s.numbers[op.out + c] = sum / total;
      }
    };
  }

  /** The nearest rows, nearest first; of those equally far the first. Their distances go into `far`. */
  private static int[] nearestRows(Op op, State s, double[] far) {
    int[] rows = new int[far.length];
    int count = 0;
    for (int j = 0; j < op.in.length; j++) {
      double d = Math.sqrt(s.numbers[op.in[j]]);
      if (count == rows.length && !(d < far[count - 1])) continue;
      int at = count < rows.length ? count++ : count - 1;
      for (; at > 0 && far[at - 1] > d; at--) {
        far[at] = far[at - 1];
        rows[at] = rows[at - 1];
      }
      far[at] = d;
      rows[at] = j;
    }
    return rows;
  }

  private static Step trees(Op op) {
    double[] threshold = op.numbers("threshold"), base = op.numbers("base");
    double[][] values = op.rows("values");
    double divide = op.number("divide");
    int nodes = threshold.length, last = nodes - 1;
    int[] root = op.wholes("root", 0, last), to = op.wholes("to", 0, base.length - 1), feature = op.wholes("feature", 0, op.in.length - 1);
    int[] left = op.wholes("left", -values.length, last), right = op.wholes("right", 0, last), gapLeft = op.wholes("gap_left", 0, 1);
    boolean[][] sets = sets(op);
    int[] set = op.wholes("set", -1, sets.length - 1);
    op.writes(base.length);
    op.must(root.length == to.length, "have a root a tree");
    op.must(feature.length == nodes && left.length == nodes && right.length == nodes && gapLeft.length == nodes && set.length == nodes,
        "have the same number of nodes throughout");
    for (int node = 0; node < nodes; node++) {
      op.must(left[node] < 0 || (left[node] > node && right[node] > node), "have children after their parents");
    }
    int widest = 0;
    for (double[] leaf : values) widest = Math.max(widest, leaf.length);
    for (int first : to) op.must(first + widest <= base.length, "have leaves that fit");
    return s -> {
      double[] x = taken(op, s), total = base.clone();
      for (int t = 0; t < root.length; t++) {
        int node = root[t];
        while (left[node] > 0) {
          double v = x[feature[node]];
          boolean goesLeft = Double.isNaN(v) ? gapLeft[node] == 1 : set[node] < 0 ? v <= threshold[node] : isIn(sets[set[node]], v);
          node = goesLeft ? left[node] : right[node];
        }
        double[] leaf = values[-left[node] - 1];
        for (int k = 0; k < leaf.length; k++) total[to[t] + k] += leaf[k];
      }
      for (int k = 0; k < total.length; k++) s.numbers[op.out + k] = total[k] / divide;
    };
  }

  private static boolean[][] sets(Op op) {
    double[][] codes = op.rows("sets");
    boolean[][] sets = new boolean[codes.length][256];
    for (int i = 0; i < codes.length; i++) for (int code : op.wholesOf(codes[i], "sets", 0, 255)) sets[i][code] = true;
    return sets;
  }

  private static boolean isIn(boolean[] set, double v) {
    return v >= 0 && v < set.length && v == (int) v && set[(int) v];
  }

  private static Step softmax(Op op) {
    op.writes(op.in.length);
    return s -> {
      double[] x = taken(op, s);
      double most = -ENDLESS, total = 0;
      for (double v : x) most = Math.max(most, v);
      for (int k = 0; k < x.length; k++) {
        x[k] = Math.exp(x[k] - most);
        total += x[k];
      }
      for (int k = 0; k < x.length; k++) s.numbers[op.out + k] = x[k] / total;
    };
  }

  private static Step share(Op op) {
    op.writes(op.in.length);
    return s -> {
      double[] x = taken(op, s);
      double total = 0;
      for (double v : x) total += v;
      for (int k = 0; k < x.length; k++) s.numbers[op.out + k] = total == 0 ? 1.0 / x.length : x[k] / total;
    };
  }

  private static Step mean(Op op) {
    double[] weights = op.numbers("weights");
    op.must(op.in.length == weights.length * op.n, "have as many scores a member");
    double sum = 0;
    for (double w : weights) sum += w;
    double total = sum;
    return s -> {
      double[] x = taken(op, s);
      for (int k = 0; k < op.n; k++) {
        double found = 0;
        for (int m = 0; m < weights.length; m++) found += weights[m] * x[m * op.n + k];
        s.numbers[op.out + k] = found / total;
      }
    };
  }

  private static Step duel(Op op) {
    boolean bare = op.get("votes") != null && op.truth("votes");
    op.must(op.in.length == op.n * (op.n - 1) / 2, "have a score a pair of classes");
    return s -> {
      double[] x = taken(op, s), votes = new double[op.n], sums = new double[op.n];
      int pair = 0;
      for (int i = 0; i < op.n; i++) {
        for (int j = i + 1; j < op.n; j++, pair++) {
          sums[i] += x[pair];
          sums[j] -= x[pair];
          votes[x[pair] >= 0 ? i : j] += 1;
        }
      }
      for (int k = 0; k < op.n; k++) {
        s.numbers[op.out + k] = votes[k] + (bare ? 0 * sums[k] : sums[k] / (3 * (Math.abs(sums[k]) + 1))); // NaN where a sum is not finite
      }
    };
  }

  // ---- data: what was read, asked for by name and type -------------------------------------------------------------------------
  private static void must(Data data, boolean right, String what) {
    if (!right) throw data.wrong(what);
  }

  /** An object of model.json. */
  static class Data {
    private final String where;
    private final Map<String, Object> map = new LinkedHashMap<>();

    Data(String where, Map<?, ?> map) {
      this.where = where;
      for (Map.Entry<?, ?> e : map.entrySet()) this.map.put((String) e.getKey(), e.getValue());
    }

    static Data of(String where, Object value) {
      if (value instanceof Map) return new Data(where, (Map<?, ?>) value);
      throw new IllegalArgumentException(where + " must be an object; export the model once more");
    }

    final Map<String, Object> map() {
      return map;
    }

    IllegalArgumentException wrong(String what) {
      return new IllegalArgumentException(where + " must " + what + "; export the model once more");
    }

    final void must(boolean right, String what) {
      if (!right) throw wrong(what);
    }

    final Object get(String key) {
      return map.get(key);
    }

    private <T> T as(Class<T> type, Object value, String key) {
      if (type.isInstance(value)) return type.cast(value);
      throw wrong("have " + key + " as " + type.getSimpleName());
    }

    final String text(String key) {
      return as(String.class, get(key), key);
    }

    final double number(String key) {
      return as(Double.class, get(key), key);
    }

    final boolean truth(String key) {
      return as(Boolean.class, get(key), key);
    }

    final int whole(String key) {
      double v = number(key);
      must(v == (int) v, "have " + key + " as a whole number");
      return (int) v;
    }

    final Data part(String key) {
      return of(where + ": " + key, get(key));
    }

    final List<Data> parts(String key) {
      List<Data> found = new ArrayList<>();
      for (Object value : values(key)) found.add(of(where + ": " + key + " " + found.size(), value));
      return found;
    }

    /** A list of anything. */
    final List<?> values(String key) {
      return listOf(get(key), key);
    }

    private List<?> listOf(Object value, String key) {
      return value instanceof double[] ? Json.boxed((double[]) value, ((double[]) value).length) : as(List.class, value, key);
    }

    final List<String> texts(String key) {
      return textsOf(get(key), key);
    }

    final List<String> textsOf(Object value, String key) {
      List<String> found = new ArrayList<>();
      for (Object v : listOf(value, key)) found.add(as(String.class, v, key));
      return found;
    }

    /** A list of numbers; NaN where one is null. */
    final double[] numbers(String key) {
      return as(double[].class, get(key), key);
    }

    final double[][] rows(String key) {
      List<double[]> found = new ArrayList<>();
      for (Object v : values(key)) found.add(as(double[].class, v, key));
      return found.toArray(new double[0][]);
    }

    final int[] wholes(String key, int low, int high) {
      return wholesOf(numbers(key), key, low, high);
    }

    final int[] wholesOf(double[] values, String key, int low, int high) {
      int[] found = new int[values.length];
      for (int i = 0; i < found.length; i++) {
        must(values[i] == (int) values[i] && values[i] >= low && values[i] <= high, "have " + key + " within bounds");
        found[i] = (int) values[i];
      }
      return found;
    }

    final Map<String, Double> numbersByName(String key) {
      Map<String, Double> found = new HashMap<>();
      for (Map.Entry<String, Object> e : part(key).map.entrySet()) found.put(e.getKey(), as(Double.class, e.getValue(), key));
      return found;
    }

    final Map<String, String> textsByName(String key) {
      Map<String, String> found = new HashMap<>();
      for (Map.Entry<String, Object> e : part(key).map.entrySet()) found.put(e.getKey(), as(String.class, e.getValue(), key));
      return found;
    }
  }

  /** An operation: what it reads, and where it writes. */
  private static final class Op extends Data {
    final String name;
    final int[] in;
    final int out, n;

    Op(Data data, int numbers, int texts) {
      super(data.where + " (" + data.get("op") + ")", data.map);
      name = text("op");
      in = wholes("in", 0, (READS_TEXT.contains(name) ? texts : numbers) - 1);
      out = whole("out");
      n = whole("n");
      must(out >= 0 && n >= 0 && (long) out + n <= (text("kind").equals("text") ? texts : numbers), "write within the places");
    }

    Op one() {
      must(in.length == 1, "read one place");
      return this;
    }

    void writes(int width) {
      must(n == width, "write as many places as it has results");
    }

    /** A number for each column; `none` where it is null. */
    double[] each(String key, double none) {
      double[] found = numbers(key).clone();
      must(found.length == in.length, "have " + key + " for each column");
      for (int i = 0; i < found.length; i++) if (Double.isNaN(found[i])) found[i] = none;
      return found;
    }
  }

  // ---- JSON --------------------------------------------------------------------------------------------------------------------
  /**
   * Read JSON: Map, List, String, Double, Boolean, null; a list of numbers alone (and nulls, as NaN) becomes a double[].
   * Throws IllegalArgumentException with the place where it is none.
   */
  static Object json(String text) {
    Json reader = new Json(text);
    Object found = reader.value(0);
    if (reader.next() != 0) throw reader.wrong("must end after its value");
    return found;
  }

  private static final class Json {
    private static final int DEEPEST = 100;
    private final String text;
    private int at = 0;

    Json(String text) {
      this.text = text;
    }

    IllegalArgumentException wrong(String what) {
      return new IllegalArgumentException("JSON " + what + "; it does not at character " + at + " of " + text.length());
    }

    /** Pass blanks; gives the character that follows, 0 at the end. */
    char next() {
      while (at < text.length() && " \n\r\t".indexOf(text.charAt(at)) >= 0) at++;
      return at < text.length() ? text.charAt(at) : 0;
    }

    private void pass(char wanted) {
      if (next() != wanted) throw wrong("must have " + wanted);
      at++;
    }

    private Object pass(String word, Object value) {
      if (!text.startsWith(word, at)) throw wrong("must hold values");
      at += word.length();
      return value;
    }

    Object value(int depth) {
      if (depth > DEEPEST) throw wrong("must not be so deep");
      switch (next()) {
        case '{': return object(depth);
        case '[': return list(depth);
        case '"': return string();
        case 't': return pass("true", Boolean.TRUE);
        case 'f': return pass("false", Boolean.FALSE);
        case 'n': return pass("null", null);
        default: return number();
      }
    }

    private double nothing() {
      pass("null", null);
      return NAN;
    }

    private Map<String, Object> object(int depth) {
      Map<String, Object> found = new LinkedHashMap<>();
      pass('{');
      while (next() != '}') {
        if (!found.isEmpty()) pass(',');
        next();
        String key = string();
        pass(':');
        found.put(key, value(depth + 1));
      }
      at++;
      return found;
    }

    private Object list(int depth) {
      double[] numbers = new double[8];
      List<Object> others = null; // from the first that is no number
      int n = 0;
      pass('[');
      for (; next() != ']'; n++) {
        if (n > 0) pass(',');
        char c = next();
        boolean number = c == '-' || (c >= '0' && c <= '9');
        if (others == null && (number || c == 'n')) {
          if (n == numbers.length) numbers = Arrays.copyOf(numbers, 2 * n);
          numbers[n] = number ? number() : nothing();
        } else {
          if (others == null) others = boxed(numbers, n);
          others.add(value(depth + 1));
        }
      }
      at++;
      return others == null ? Arrays.copyOf(numbers, n) : others;
    }

    private static List<Object> boxed(double[] numbers, int n) {
      List<Object> found = new ArrayList<>();
      for (int i = 0; i < n; i++) found.add(Double.isNaN(numbers[i]) ? null : (Object) numbers[i]);
      return found;
    }

    private boolean isDigit(int place) {
      return place < text.length() && text.charAt(place) >= '0' && text.charAt(place) <= '9';
    }

    /** Pass digits, at least one. */
    private void digits() {
      if (!isDigit(at)) throw wrong("must hold values that are finite numbers, texts, lists or objects");
      while (isDigit(at)) at++;
    }

    private double number() {
      int start = at;
      if (next() == '-') at++;
      int first = at;
      digits();
      if (text.charAt(first) == '0' && at > first + 1) throw wrong("must have no number that begins with 0");
      int end = at;
      if (end < text.length() && text.charAt(end) == '.') {
        at++;
        digits();
      }
      if (at < text.length() && (text.charAt(at) == 'e' || text.charAt(at) == 'E')) {
        at++;
        if (at < text.length() && (text.charAt(at) == '-' || text.charAt(at) == '+')) at++;
        digits();
      }
      if (at == end && end - first < 10 && first == start) return Integer.parseInt(text.substring(start, end)); // most are small
      double found = Double.parseDouble(text.substring(start, at));
      if (Double.isInfinite(found)) throw wrong("must hold numbers that 64 bits can hold");
      return found;
    }

    private String string() {
      if (at >= text.length() || text.charAt(at) != '"') throw wrong("must have a text");
      int start = ++at;
      while (at < text.length() && text.charAt(at) != '"' && text.charAt(at) != '\\' && text.charAt(at) >= ' ') at++;
      if (at < text.length() && text.charAt(at) == '"') return text.substring(start, at++);
      StringBuilder made = new StringBuilder(text.substring(start, at));
      for (; at < text.length() && text.charAt(at) != '"'; at++) {
        char c = text.charAt(at);
        if (c < ' ') throw wrong("must not have bare control characters in a text");
        made.append(c == '\\' ? escaped() : c);
      }
      if (at >= text.length()) throw wrong("must end its texts");
      at++;
      return made.toString();
    }

    private char escaped() {
      int kind = ++at < text.length() ? "\"\\/bfnrtu".indexOf(text.charAt(at)) : -1;
      if (kind < 0) throw wrong("must have known escapes");
      if (kind < 8) return "\"\\/\b\f\n\r\t".charAt(kind);
      String digits = at + 5 <= text.length() ? text.substring(at + 1, at + 5) : "";
      if (!digits.matches("[0-9a-fA-F]{4}")) throw wrong("must have four digits after \\u");
      at += 4;
      return (char) Integer.parseInt(digits, 16);
    }
  }
}
