/* What a portable model (model.json) needs in C99: one small function an operation, with no allocation and nothing that is kept between
   calls. An export holds those of these functions that its model uses. Between two empty lines stands one definition.
   A column is a double: little is calculated there, and single precision would lose the digits that matter. What models calculate with is
   `num`, which is double or float; F(exp) is exp or expf. Tables that belong to a model (its units, UNIT_BYTES, ...) and those that Python
   knows (LOWER, FOLD, UNITS, MISSING, YES, NO) are written by mlwork.deploy.c_tables. */

#define COUNT(table) (sizeof (table) / sizeof (table)[0])

/* ---- letters ---------------------------------------------------------------------------------------------------------------------- */

#define NO_LETTER 0x110000u /* past the end of a text */

/* UTF-8 that is never read beyond `length`; MISSING has no `at`. One that is `clean` is read in lower case with single blanks: the
   letters are changed while they are read, and nothing is copied. */
typedef struct { const char *at; size_t length; int clean; } text;

static text text_of(const char *letters) { text t = {letters, strlen(letters), 0}; return t; }

static int is_utf8(const char *at, size_t length) {
  const unsigned char *s = (const unsigned char *)at, *end = s + length;
  while (s < end) {
    unsigned c = *s++, more = c < 0x80 ? 0 : c >= 0xc2 && c < 0xe0 ? 1 : c >= 0xe0 && c < 0xf0 ? 2 : c >= 0xf0 && c < 0xf5 ? 3 : 9;
    if (more > (size_t)(end - s)) return 0;
    if ((c == 0xe0 && *s < 0xa0) || (c == 0xed && *s > 0x9f) || (c == 0xf0 && *s < 0x90) || (c == 0xf4 && *s > 0x8f)) return 0;
    for (; more > 0; more--) if ((*s++ & 0xc0) != 0x80) return 0;
  }
  return 1;
}

/* The code point at `*at`, which moves on; the text must be UTF-8. */
static uint32_t decoded(const unsigned char **at) {
  uint32_t c = *(*at)++;
  int more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
  if (more > 0) c &= 0x3fu >> more;
  for (; more > 0; more--) c = c << 6 | (*(*at)++ & 0x3fu);
  return c;
}

/* Puts a code point; gives where the next one goes. */
static char *encoded(uint32_t c, char *to) {
  if (c < 0x80) { *to++ = (char)c; return to; }
  if (c < 0x800) *to++ = (char)(0xc0 | c >> 6);
  else {
    if (c < 0x10000) *to++ = (char)(0xe0 | c >> 12);
    else { *to++ = (char)(0xf0 | c >> 18); *to++ = (char)(0x80 | (c >> 12 & 0x3f)); }
    *to++ = (char)(0x80 | (c >> 6 & 0x3f));
  }
  *to++ = (char)(0x80 | (c & 0x3f));
  return to;
}

/* What Python's str.split takes for a blank. */
static int is_space(uint32_t c) {
  return (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a)
    || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

static int is_digit(uint32_t c) { return c >= '0' && c <= '9'; }

static int is_letter(uint32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static uint32_t ascii_lower(uint32_t c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }

/* A letter in lower case, whatever stands beside it. */
static uint32_t lowered(uint32_t c) {
  size_t low = 0, high = COUNT(LOWER); /* runs of letters that are `step` apart and move by the same */
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (c > LOWER[middle].last) low = middle + 1; else high = middle;
  }
  if (low == COUNT(LOWER) || c < LOWER[low].first || (c - LOWER[low].first) % LOWER[low].step) return c;
  return (uint32_t)((int32_t)c + LOWER[low].by);
}

/* What is still to be read of a text; `now` is the letter that is next. A copy remembers a place to come back to. */
typedef struct { const unsigned char *at, *end; uint32_t now; char clean, tidy, begun; } letters;

static int is_blank(const letters *s, uint32_t c) {
  if (s->clean) return is_space(c);
  return s->tidy && (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == 0xa0 || c == 0x2009 || c == 0x202f);
}

/* Goes on to the next letter: several blanks are one, and none is at the ends, where the text is clean or tidied. */
static void step(letters *s) {
  int blank = 0;
  for (;;) {
    const unsigned char *here = s->at;
    uint32_t c = here == s->end ? NO_LETTER : decoded(&s->at);
    if (is_blank(s, c)) { blank = 1; continue; }
    if (blank && s->begun && c != NO_LETTER) { s->at = here; s->now = ' '; return; }
    s->begun = 1;
    if (s->clean) c = lowered(c);
    if (s->tidy && c == 0x2212) c = '-';
    if (s->tidy && c == 0x2019) c = '\'';
    s->now = c;
    return;
  }
}

static letters letters_of(text t) {
  letters s = {(const unsigned char *)t.at, (const unsigned char *)t.at + t.length, 0, (char)t.clean, 0, 0};
  step(&s);
  return s;
}

/* With blanks, minus signs and apostrophes as in ASCII. */
static letters tidied(text t) {
  letters s = {(const unsigned char *)t.at, (const unsigned char *)t.at + t.length, 0, (char)t.clean, 1, 0};
  step(&s);
  return s;
}

static int took(letters *s, uint32_t c) {
  if (s->now != c) return 0;
  step(s);
  return 1;
}

/* Without what Python's str.strip takes away. */
static text stripped(text t) {
  const unsigned char *first = (const unsigned char *)t.at, *end = first + t.length, *next = first, *last;
  while (first < end && is_space(decoded(&next))) first = next;
  for (last = next = first; next < end;) if (!is_space(decoded(&next))) last = next;
  t.at = (const char *)first;
  t.length = (size_t)(last - first);
  return t;
}

/* Below, at or above 0 as a text comes before, is, or comes after a name. */
static int compared(text t, const char *name) {
  if (!t.clean) {
    size_t length = strlen(name);
    int way = memcmp(t.at, name, t.length < length ? t.length : length);
    return way ? way : (t.length > length) - (t.length < length);
  }
  letters s = letters_of(t);
  const unsigned char *n = (const unsigned char *)name;
  for (;; step(&s)) {
    uint32_t c = *n ? decoded(&n) : NO_LETTER;
    if (s.now == NO_LETTER || c == NO_LETTER) return (c == NO_LETTER) - (s.now == NO_LETTER);
    if (s.now != c) return s.now < c ? -1 : 1;
  }
}

/* The number of a text among sorted names; -1 where it is none of them. */
static int32_t find(text t, const char *const *names, int32_t n) {
  int32_t low = 0, high = n;
  while (low < high) {
    int32_t middle = low + (high - low) / 2;
    int way = compared(t, names[middle]);
    if (way == 0) return middle;
    if (way > 0) low = middle + 1; else high = middle;
  }
  return -1;
}

/* ---- numbers in text -------------------------------------------------------------------------------------------------------------- */

#define DIGITS 768 /* no number between two doubles takes more to be told from both */

/* A decimal number while it is read: digits without noughts in front, a power of ten, and whether more digits than these followed. */
typedef struct { char digits[DIGITS + 10]; int32_t n, power; int more; } decimal;

static void add_digit(decimal *d, uint32_t c, int behind_the_mark) {
  if (behind_the_mark) d->power--;
  if (d->n == 0 && c == '0') return;
  if (d->n < DIGITS) d->digits[d->n++] = (char)c;
  else { d->power++; d->more |= c != '0'; }
}

/* To the nearest double. strtod is given digits and a power without a mark, so that no locale matters. */
static double nearest_double(decimal *d) {
  static const double TENS[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
                                1e20, 1e21, 1e22};
  if (d->n == 0) return 0.0;
  if (d->more) { d->digits[d->n++] = '1'; d->power--; }
  if (FLT_EVAL_METHOD == 0 && DBL_MANT_DIG == 53 && d->n <= 15 && d->power >= -22 && d->power <= 22) { /* exact, and rounded once */
    double whole = 0;
    for (int32_t i = 0; i < d->n; i++) whole = whole * 10 + (d->digits[i] - '0');
    return d->power < 0 ? whole / TENS[-d->power] : whole * TENS[d->power];
  }
  int32_t power = d->power < -9999 ? -9999 : d->power > 9999 ? 9999 : d->power;
  char *to = d->digits + d->n, *stop = to + 6;
  *to++ = 'e';
  *to++ = power < 0 ? '-' : '+';
  if (power < 0) power = -power;
  for (int32_t ten = 1000; to < stop; ten /= 10) *to++ = (char)('0' + power / ten % 10);
  *to = '\0';
  return strtod(d->digits, NULL);
}

/* Units that are read, sorted, and how many of the wanted unit each is. */
typedef struct { const char *const *names; const double *factors; int32_t n; } units;

/* Tells whether a name is a rate such as kg/m2, or, after a blank, one word. */
static int is_named(const char *name, int spaced) {
  const char *s = name;
  int before = 0, behind = 0, word = 0;
  while (s[word] >= 'a' && s[word] <= 'z') word++;
  if (spaced && s[word] == '\0' && word >= 3 && word <= 12) return 1;
  for (; (*s >= 'a' && *s <= 'z') || (s[0] == '\302' && s[1] == '\265'); before++) s += *s == '\302' ? 2 : 1; /* U+00B5 */
  if (*s++ != '/' || before < 1 || before > 5) return 0;
  for (; (*s >= 'a' && *s <= 'z') || is_digit((unsigned char)*s) || (s[0] == '\302' && (s[1] == '\262' || s[1] == '\263')); behind++)
    s += *s == '\302' ? 2 : 1; /* superscript 2 and 3 */
  return *s == '\0' && behind >= 1 && behind <= 6;
}

/* How many of the wanted unit a unit in lower case is; 0 where it measures something else. Without a wanted one it counts as it is. */
static double factor_of(const char *name, int spaced, const units *wanted) {
  int32_t at;
  if (wanted != NULL) return (at = find(text_of(name), wanted->names, wanted->n)) < 0 ? 0.0 : wanted->factors[at];
  return find(text_of(name), UNITS, COUNT(UNITS)) >= 0 || is_named(name, spaced) ? 1.0 : 0.0;
}

static int took_money(letters *s, char *name) {
  static const char *const MONEY[] = {"\342\202\254", "$", "\302\243", "eur", "usd", "gbp", "chf"}; /* first the signs of euro, dollar, pound */
  for (size_t i = 0; i < COUNT(MONEY); i++) {
    const unsigned char *m = (const unsigned char *)MONEY[i];
    letters ahead = *s;
    while (*m && ascii_lower(ahead.now) == decoded(&m)) { step(&ahead); if (!*m) { *s = ahead; strcpy(name, MONEY[i]); return 1; } }
  }
  return 0;
}

/* The rest of a text as a unit: in lower case, without full stops at its end; gives 0 where no unit is as long. */
static int took_unit(letters *s, char *name) {
  char *to = name;
  int32_t dots = 0;
  for (; s->now != NO_LETTER; step(s)) {
    if (s->now == '.') { dots++; continue; }
    if (to - name + dots + 5 > UNIT_BYTES) return 0;
    for (; dots > 0; dots--) *to++ = '.';
    to = encoded(ascii_lower(s->now), to);
  }
  *to = '\0';
  return 1;
}

/* Digits before the mark: plain, or in groups of three. */
static int took_digits(letters *s, decimal *d, uint32_t mark) {
  int n = 0;
  for (; is_digit(s->now); step(s), n++) add_digit(d, s->now, 0);
  while (n >= 1 && n <= 3 && (s->now == (mark == '.' ? ',' : '.') || s->now == '\'' || s->now == ' ')) {
    letters ahead = *s;
    uint32_t group[3];
    int i = 0;
    for (step(&ahead); i < 3 && is_digit(ahead.now); step(&ahead)) group[i++] = ahead.now;
    if (i < 3) break;
    for (i = 0; i < 3; i++) add_digit(d, group[i], 0);
    *s = ahead;
  }
  return n;
}

static int begins_unit(letters s) {
  took(&s, ' ');
  return s.now != NO_LETTER && !is_digit(s.now) && strchr("-+.,' ", (int)(s.now < 0x80 ? s.now : 'x')) == NULL;
}

static int32_t took_power(letters *s) {
  letters ahead = *s;
  int32_t power = 0, n = 0;
  int minus = 0;
  if (!took(&ahead, 'e') && !took(&ahead, 'E')) return 0;
  if ((minus = took(&ahead, '-')) == 0) took(&ahead, '+');
  for (; n < 3 && is_digit(ahead.now); step(&ahead), n++) power = power * 10 + (int32_t)(ahead.now - '0');
  if (n == 0 || (ahead.now != NO_LETTER && !begins_unit(ahead))) return 0; /* the e belongs to a unit */
  *s = ahead;
  return minus ? -power : power;
}

/* Reads one number; gives 0 where the grammar does not match. `wanted` is NULL where any unit will do. */
static int read_number(text t, const units *wanted, uint32_t mark, double *found) {
  letters s = tidied(t);
  decimal d;
  char name[UNIT_BYTES] = "";
  int minus = took(&s, '-'), sign = minus || took(&s, '+'), money, spaced, n;
  d.n = d.power = d.more = 0;
  took(&s, ' ');
  if ((money = took_money(&s, name)) != 0) took(&s, ' ');
  if (s.now == '-' || s.now == '+') {
    if (sign) return 0;
    minus = s.now == '-';
    step(&s);
  }
  n = took_digits(&s, &d, mark);
  if (took(&s, mark)) for (; is_digit(s.now); step(&s), n++) add_digit(&d, s.now, 1);
  if (n == 0) return 0;
  d.power += took_power(&s);
  if (s.now != NO_LETTER && (money || !begins_unit(s))) return 0;
  spaced = took(&s, ' ');
  if (!money && !took_unit(&s, name)) return 0;
  double factor = name[0] ? factor_of(name, spaced, wanted) : 1.0, value = nearest_double(&d);
  *found = (minus ? -value : value) * factor;
  return factor != 0.0 && *found >= -DBL_MAX && *found <= DBL_MAX;
}

/* ---- dates ------------------------------------------------------------------------------------------------------------------------ */

/* Days since 1970-01-01 of a day of the Gregorian calendar; gives 0 for one that does not exist. */
static int days_of(int32_t year, int32_t month, int32_t day, int32_t *days) {
  static const char LAST[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > LAST[month - 1] + (leap && month == 2)) return 0;
  int32_t y = month > 2 ? year : year - 1, era = y / 400, of_era = y - era * 400;
  int32_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  *days = era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
  return 1;
}

/* Up to `most` digits as a number; gives how many there were. */
static int took_count(letters *s, int most, int32_t *value) {
  int n = 0;
  for (*value = 0; n < most && is_digit(s->now); step(s), n++) *value = *value * 10 + (int32_t)(s->now - '0');
  return n;
}

/* The number of an English month, in full, or by three letters, or "sept"; 0 where there is none. */
static int32_t took_month(letters *s) {
  static const char *const NAMES[] = {"january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
                                      "november", "december"};
  char name[10];
  size_t n = 0;
  for (; n < 9 && is_letter(s->now); step(s)) name[n++] = (char)ascii_lower(s->now);
  name[n] = '\0';
  for (size_t i = 0; i < COUNT(NAMES) && n >= 3; i++)
    if (memcmp(name, NAMES[i], 3) == 0 && (n == 3 || strcmp(name, NAMES[i]) == 0 || strcmp(name, "sept") == 0)) return (int32_t)i + 1;
  return 0;
}

/* Z, UTC, +HH:MM or +HHMM, as minutes to be taken away. */
static int took_zone(letters *s, int32_t *shift) {
  int32_t hours, minutes, sign = s->now == '-' ? -1 : 1;
  *shift = 0;
  if (took(s, 'Z')) return 1;
  if (took(s, 'U')) return took(s, 'T') && took(s, 'C');
  if (!took(s, '+') && !took(s, '-')) return 0;
  if (took_count(s, 2, &hours) != 2) return 0;
  took(s, ':');
  if (took_count(s, 2, &minutes) != 2) return 0;
  *shift = sign * (hours * 60 + minutes);
  return 1;
}

/* Up to nine digits of a second, of which six count. */
static int took_fraction(letters *s, int32_t *micros) {
  int n = 0;
  for (*micros = 0; n < 9 && is_digit(s->now); step(s), n++) if (n < 6) *micros = *micros * 10 + (int32_t)(s->now - '0');
  for (int i = n; i < 6; i++) *micros *= 10;
  return n > 0;
}

/* The time of day, as microseconds since midnight UTC; midnight where nothing is left. Gives 0 where it is none. */
static int took_clock(letters *s, int64_t *past) {
  int32_t hours, minutes, seconds = 0, micros = 0, shift = 0;
  int half = 0;
  *past = 0;
  if (s->now == NO_LETTER) return 1;
  if (s->now != 'T' && s->now != ' ' && s->now != ',') return 0;
  while (s->now == 'T' || s->now == ' ' || s->now == ',') step(s);
  if (!took_count(s, 2, &hours) || !took(s, ':') || took_count(s, 2, &minutes) != 2) return 0;
  if (took(s, ':')) {
    if (took_count(s, 2, &seconds) != 2) return 0;
    if (took(s, '.') && !took_fraction(s, &micros)) return 0;
  }
  letters ahead = *s;
  took(&ahead, ' ');
  if (ahead.now < 0x80 && strchr("APap", (int)ahead.now) != NULL && ahead.now != 0) {
    half = (int)ascii_lower(ahead.now);
    step(&ahead);
    took(&ahead, '.');
    if (!took(&ahead, 'M') && !took(&ahead, 'm')) return 0;
    took(&ahead, '.');
    *s = ahead;
  }
  took(s, ' ');
  if (s->now != NO_LETTER && !took_zone(s, &shift)) return 0;
  if (s->now != NO_LETTER || hours > (half ? 12 : 23) || minutes > 59 || seconds > 59 || (half && hours == 0)) return 0;
  if (half) hours = hours % 12 + (half == 'p' ? 12 : 0);
  *past = (((int64_t)hours * 60 + minutes - shift) * 60 + seconds) * 1000000 + micros;
  return 1;
}

/* The day: year first, year last, or with the name of a month. A year of two digits is of 1969 to 2068. */
static int took_day(letters *s, int dayfirst, int32_t *year, int32_t *month, int32_t *day) {
  int32_t first, n, mark;
  if (is_letter(s->now)) {
    *month = took_month(s);
    took(s, '.');
    if (!took(s, ' ') || !took_count(s, 2, day)) return 0;
    took(s, ',');
    return took(s, ' ') && took_count(s, 4, year) == 4;
  }
  n = took_count(s, 4, &first);
  mark = (int32_t)s->now;
  if (mark != '-' && mark != '/' && mark != '.' && mark != ' ') return 0;
  step(s);
  if (n == 4) {
    *year = first;
    return mark != ' ' && took_count(s, 2, month) && took(s, (uint32_t)mark) && took_count(s, 2, day);
  }
  if (n < 1 || n > 2) return 0;
  if (is_digit(s->now)) {
    int32_t second;
    if (mark == ' ' || !took_count(s, 2, &second) || !took(s, (uint32_t)mark)) return 0;
    *day = dayfirst || mark == '.' ? first : second;
    *month = dayfirst || mark == '.' ? second : first;
  } else {
    if (mark == '/' || (mark == '.' && !took(s, ' ') && !took(s, '-'))) return 0;
    *day = first;
    *month = took_month(s);
    took(s, '.');
    took(s, ',');
    if (!took(s, ' ') && !took(s, '-')) return 0;
  }
  if ((n = took_count(s, 4, year)) == 2) *year += *year < 69 ? 2000 : 1900;
  return n == 2 || n == 4;
}

#define DAY INT64_C(86400000000) /* microseconds */

/* Days since 2000-01-01 and the microseconds of the day. Gives 0 where the grammar does not match. */
static int read_date(text t, int dayfirst, double *to) {
  letters s = tidied(t);
  int32_t year, month, day, days;
  int64_t past;
  if (!took_day(&s, dayfirst, &year, &month, &day) || !took_clock(&s, &past) || !days_of(year, month, day, &days)) return 0;
  for (; past < 0; past += DAY) days--;
  for (; past >= DAY; past -= DAY) days++;
  if (days < -719162 || days > 2932896) return 0; /* of the years 1 to 9999 */
  to[0] = (double)(days - 10957);
  to[1] = (double)past;
  return 1;
}

/* ---- truths and names of numbers -------------------------------------------------------------------------------------------------- */

/* Copies what is to be compared with short words; gives 0 where it is longer. */
static int in_lower(letters s, char *to, int32_t size) {
  char *end = to + size - 5;
  for (; s.now != NO_LETTER; step(&s)) {
    if (to > end) return 0;
    to = encoded(ascii_lower(s.now), to);
  }
  *to = '\0';
  return 1;
}

static double read_truth(text t) {
  char word[16];
  if (!in_lower(tidied(t), word, 16)) return NAN;
  if (find(text_of(word), YES, COUNT(YES)) >= 0) return 1;
  return find(text_of(word), NO, COUNT(NO)) >= 0 ? 0 : NAN;
}

#define NAME_BYTES 32

/* 15 digits without noughts at the end, as Python's format(number, ".15g"), with the mark that is asked for and not the locale's. */
static text number_name(double number, int point, char mark, char *name) {
  char shown[NAME_BYTES], digits[16];
  const char *s = shown;
  char *to = name;
  int n = 0, power, i;
  snprintf(shown, sizeof shown, "%.14e", number);
  if (*s == '-') *to++ = *s++;
  for (; *s != 'e'; s++) if (is_digit((unsigned char)*s) && n < 15) digits[n++] = *s;
  power = (int)strtol(s + 1, NULL, 10);
  while (n > 1 && digits[n - 1] == '0') n--;
  int small = power < -4 || power >= 15, before = small ? 1 : power + 1; /* digits before the mark */
  if (before < 1) { *to++ = '0'; *to++ = mark; for (i = before; i < 0; i++) *to++ = '0'; }
  for (i = 0; i < n || i < before; i++) {
    if (i == before && i > 0) *to++ = mark;
    *to++ = i < n ? digits[i] : '0';
  }
  if (small) {
    *to++ = 'e';
    *to++ = power < 0 ? '-' : '+';
    if (power < 0) power = -power;
    if (power >= 100) *to++ = (char)('0' + power / 100);
    *to++ = (char)('0' + power / 10 % 10);
    *to++ = (char)('0' + power % 10);
  } else if (point && n <= before) { *to++ = mark; *to++ = '0'; }
  *to = '\0';
  return text_of(name);
}

/* ---- cells of a raw row ----------------------------------------------------------------------------------------------------------- */

static int is_missing(const model_cell *cell) { return cell->kind == MODEL_MISSING || (cell->kind == MODEL_NUMBER && isnan(cell->number)); }

/* The text of a cell without blanks around it; gives 0 where it stands for nothing. */
static int said(const model_cell *cell, text *found) {
  text t = {cell->text, cell->length, 0};
  if (t.length == 0) return 0;
  *found = stripped(t);
  return find(*found, MISSING, COUNT(MISSING)) < 0;
}

/* Tells whether a text is inf or infinity, with or without a sign. */
static int is_endless(text t) {
  char word[16];
  if (!in_lower(letters_of(t), word, 16)) return 0;
  const char *s = word + (word[0] == '-' || word[0] == '+');
  return strcmp(s, "inf") == 0 || strcmp(s, "infinity") == 0;
}

static int cell_number(const model_cell *cell, double *to) {
  text t;
  double read;
  *to = NAN;
  if (is_missing(cell)) return MODEL_OK;
  if (cell->kind != MODEL_TEXT) { if (isfinite(cell->number)) *to = cell->number; return MODEL_OK; }
  if (!is_utf8(cell->text, cell->length)) return MODEL_NOT_UTF8;
  if (!said(cell, &t) || is_endless(t)) return MODEL_OK;
  if (!read_number(t, NULL, '.', &read)) return MODEL_BAD_CELL;
  *to = read;
  return MODEL_OK;
}

static int cell_truth(const model_cell *cell, double *to) {
  text t;
  *to = NAN;
  if (is_missing(cell)) return MODEL_OK;
  if (cell->kind == MODEL_TEXT) {
    if (!is_utf8(cell->text, cell->length)) return MODEL_NOT_UTF8;
    if (!said(cell, &t)) return MODEL_OK;
    *to = read_truth(t);
    return isnan(*to) ? MODEL_BAD_CELL : MODEL_OK;
  }
  *to = cell->number;
  return *to == 0 || *to == 1 ? MODEL_OK : MODEL_BAD_CELL;
}

static int cell_moment(const model_cell *cell, double *to) {
  text t;
  to[0] = to[1] = NAN;
  if (is_missing(cell)) return MODEL_OK;
  if (cell->kind != MODEL_TEXT) return MODEL_BAD_CELL;
  if (!is_utf8(cell->text, cell->length)) return MODEL_NOT_UTF8;
  return !said(cell, &t) || read_date(t, 1, to) ? MODEL_OK : MODEL_BAD_CELL;
}

/* `yes` and `no` are how training wrote truths; `point` tells whether it wrote whole numbers as 3.0, with what mark. */
static int cell_text(const model_cell *cell, const char *no, const char *yes, int point, char mark, char *name, text *to) {
  text missing = {NULL, 0, 0}, t = {cell->length ? cell->text : "", cell->length, 0};
  *to = missing;
  if (is_missing(cell)) return MODEL_OK;
  if (cell->kind == MODEL_TRUTH) *to = text_of(cell->number != 0 ? yes : no);
  else if (cell->kind == MODEL_NUMBER && isfinite(cell->number)) *to = number_name(cell->number, point, mark, name);
  else if (cell->kind == MODEL_NUMBER) *to = text_of(cell->number < 0 ? "-inf" : "inf");
  else if (!is_utf8(t.at, t.length)) return MODEL_NOT_UTF8;
  else *to = t;
  return MODEL_OK;
}

/* ---- operations on texts ---------------------------------------------------------------------------------------------------------- */

static void op_read(text t, const units *wanted, uint32_t mark, const double *codes, int32_t n, double *to) {
  double read;
  *to = NAN;
  if (t.at != NULL && read_number(t, wanted, mark, &read)) *to = read;
  for (int32_t i = 0; i < n; i++) if (*to == codes[i]) *to = NAN;
}

static void op_date(text t, int dayfirst, double *to) { if (t.at == NULL || !read_date(t, dayfirst, to)) to[0] = to[1] = NAN; }

static void op_truth(text t, double *to) { *to = t.at == NULL ? (double)NAN : read_truth(t); }

/* `other` is for what is not in the table; NULL leaves it as it is. */
static text op_respell(text t, const char *const *from, const char *const *into, int32_t n, const char *other) {
  if (t.at == NULL) return t;
  int32_t at = find(t, from, n);
  return at >= 0 ? text_of(into[at]) : other != NULL ? text_of(other) : t;
}

static text op_clean(text t) {
  if (t.at == NULL) return text_of("");
  t.clean = 1;
  return t;
}

static text op_name(double v, int truth, char *name) {
  text missing = {NULL, 0, 0};
  return isnan(v) ? missing : truth ? text_of(v != 0 ? "True" : "False") : number_name(v, 0, '.', name);
}

static text op_fill_text(text t, const char *value) { return t.at == NULL ? text_of(value) : t; }

static void op_gap_text(text t, double *to) { *to = t.at == NULL; }

/* The number of the text's level: `missing` where there is none, `unknown` where it is new. */
static void op_code(text t, const char *const *levels, const double *codes, int32_t n, double missing, double unknown, double *to) {
  int32_t at = t.at == NULL ? -1 : find(t, levels, n);
  *to = t.at == NULL ? missing : at < 0 ? unknown : codes[at];
}

/* A letter from a to z or a digit without its accents; 0 for an accent by itself, which is skipped; ' ' for all that parts words. */
static uint32_t folded(uint32_t c) {
  c = ascii_lower(c);
  if (c >= 0xc0 && c < 0xc0 + sizeof FOLD - 1) c = (unsigned char)FOLD[c - 0xc0];
  else if (c >= 0x1e00 && c < 0x1e00 + sizeof FOLD_MORE - 1) c = (unsigned char)FOLD_MORE[c - 0x1e00];
  else if (c >= 0x300 && c < 0x370) return 0;
  return (c >= 'a' && c <= 'z') || is_digit(c) ? c : ' ';
}

/* TF-IDF weights of sorted words, none of `longest` bytes or more; `at` tells where each one's weight goes. */
static void op_words(text t, const char *const *words, const uint16_t *at, const double *idf, int32_t n, double *to) {
  char word[WORD_BYTES];
  size_t length = 0;
  double squares = 0;
  for (int32_t i = 0; i < n; i++) to[i] = 0;
  if (t.at == NULL) return;
  for (letters s = letters_of(t);; step(&s)) {
    uint32_t c = s.now == NO_LETTER ? ' ' : folded(s.now);
    if (c == 0) continue;
    if (c != ' ') { if (length < WORD_BYTES - 1) word[length] = (char)c; length++; continue; }
    if (length >= 2 && length < WORD_BYTES) {
      text found = {word, length, 0};
      int32_t k = find(found, words, n);
      if (k >= 0) to[at[k]] += 1;
    }
    length = 0;
    if (s.now == NO_LETTER) break;
  }
  for (int32_t i = 0; i < n; i++) squares += to[i] * idf[i] * (to[i] * idf[i]);
  squares = sqrt(squares);
  for (int32_t i = 0; i < n && squares > 0; i++) to[i] = to[i] * idf[i] / squares;
}

/* ---- operations on columns of numbers --------------------------------------------------------------------------------------------- */

static void take(const double *x, const uint16_t *places, int32_t n, double *to) { for (int32_t i = 0; i < n; i++) to[i] = x[places[i]]; }

/* From columns to what a model calculates with, and back. `less` is taken away before, or nothing where it is NULL. */
static int narrow(const double *x, const uint16_t *places, int32_t n, const double *less, num *to) {
  for (int32_t i = 0; i < n; i++) {
    double v = less == NULL ? x[places[i]] : x[places[i]] - less[i];
    if (fabs(v) > (double)FLT_MAX) return MODEL_TOO_LARGE;
    to[i] = (num)v;
  }
  return MODEL_OK;
}

static void widen(const num *y, int32_t n, double *to) { for (int32_t i = 0; i < n; i++) to[i] = (double)y[i]; }

static void op_fill(const double *x, int32_t n, const double *value, double *to) { for (int32_t i = 0; i < n; i++) to[i] = isnan(x[i]) ? value[i] : x[i]; }

/* Of one column. */
static void op_blank(const double *x, const double *codes, int32_t n, double *to) {
  *to = *x;
  for (int32_t i = 0; i < n; i++) if (*x == codes[i]) *to = NAN;
}

static void op_gap(const double *x, int32_t n, double *to) { for (int32_t i = 0; i < n; i++) to[i] = isnan(x[i]) ? 1 : 0; }

static int op_refuse(const double *x, int32_t n, const double *low, const double *high, int gaps) {
  int refused = 0;
  for (int32_t i = 0; i < n; i++) refused |= (isnan(x[i]) & !gaps) | (x[i] < low[i]) | (x[i] > high[i]);
  return refused ? MODEL_REFUSED : MODEL_OK;
}

static void op_code_number(const double *x, const double *levels, const double *codes, int32_t n, double missing, double unknown, double *to) {
  *to = isnan(*x) ? missing : unknown;
  for (int32_t i = 0; i < n; i++) if (*x == levels[i]) *to = codes[i];
}

static void op_spread(const double *x, int32_t n, double *to) { for (int32_t i = 0; i < n; i++) to[i] = *x == (double)i ? 1 : 0; }

static void op_table(const double *x, const double *rows, int32_t count, int32_t n, double *to) {
  int32_t row = *x >= 0 && *x < (double)count ? (int32_t)*x : -1;
  for (int32_t i = 0; i < n; i++) to[i] = row < 0 ? (double)NAN : rows[row * n + i];
}

static void op_constant(const double *value, int32_t n, double *to) { for (int32_t i = 0; i < n; i++) to[i] = value[i]; }

static void op_clip(const double *x, int32_t n, const double *low, const double *high, double *to) {
  for (int32_t i = 0; i < n; i++) to[i] = x[i] < low[i] ? low[i] : x[i] > high[i] ? high[i] : x[i];
}

static void op_affine(const double *x, int32_t n, const double *less, const double *divide, const double *times, const double *more, double *to) {
  for (int32_t i = 0; i < n; i++) to[i] = (x[i] - less[i]) / divide[i] * times[i] + more[i];
}

/* Yeo and Johnson, Biometrika 87 (2000). */
static void op_power(const double *x, int32_t n, const double *power, double *to) {
  for (int32_t i = 0; i < n; i++) {
    double up = log1p(fabs(x[i])), p = power[i];
    if (isnan(x[i])) to[i] = x[i];
    else if (x[i] >= 0) to[i] = fabs(p) < 2.3e-16 ? up : expm1(p * up) / p;
    else to[i] = fabs(p - 2) <= 2.3e-16 ? -up : -expm1((2 - p) * up) / (2 - p);
  }
}

/* Piecewise linear, as numpy's interp: beyond the ends, the ends. With `way` -1 it reads the points backwards and negated. */
static double interpolated(double x, const double *xs, const double *ys, int32_t n, int way) {
#define X(i) (way < 0 ? -xs[n - 1 - (i)] : xs[i])
#define Y(i) (way < 0 ? -ys[n - 1 - (i)] : ys[i])
  if (isnan(x)) return x;
  if (x > X(n - 1)) return Y(n - 1);
  if (x < X(0)) return Y(0);
  int32_t low = 0, high = n; /* low: the last place that is not above x */
  while (high - low > 1) {
    int32_t middle = low + (high - low) / 2;
    if (X(middle) <= x) low = middle; else high = middle;
  }
  if (low == n - 1 || X(low) == x) return Y(low);
  return (Y(low + 1) - Y(low)) / (X(low + 1) - X(low)) * (x - X(low)) + Y(low);
#undef X
#undef Y
}

/* Of one column. */
static void op_curve(const double *x, const double *xs, const double *ys, int32_t n, double *to) { *to = interpolated(*x, xs, ys, n, 1); }

static double polynomial(double x, const double *c, int32_t n) {
  double sum = c[0];
  for (int32_t i = 1; i < n; i++) sum = sum * x + c[i];
  return sum;
}

#define RATIO(z, p, q) (polynomial(z, p, COUNT(p)) / polynomial(z, q, COUNT(q)))

/* The quantile of the bell, after Cephes (Moshier 1989), as SciPy computes it; y lies between 0 and 1. */
static double bell(double y) {
  static const double P0[] = {-5.99633501014107895267e1, 9.80010754185999661536e1, -5.66762857469070293439e1, 1.39312609387279679503e1,
    -1.23916583867381258016e0}, Q0[] = {1, 1.95448858338141759834e0, 4.67627912898881538453e0, 8.63602421390890590575e1,
    -2.25462687854119370527e2, 2.00260212380060660359e2, -8.20372256168333339912e1, 1.59056225126211695515e1, -1.18331621121330003142e0},
    P1[] = {4.05544892305962419923e0, 3.15251094599893866154e1, 5.71628192246421288162e1, 4.40805073893200834700e1,
    1.46849561928858024014e1, 2.18663306850790267539e0, -1.40256079171354495875e-1, -3.50424626827848203418e-2, -8.57456785154685413611e-4},
    Q1[] = {1, 1.57799883256466749731e1, 4.53907635128879210584e1, 4.13172038254672030440e1, 1.50425385692907503408e1,
    2.50464946208309415979e0, -1.42182922854787788574e-1, -3.80806407691578277194e-2, -9.33259480895457427372e-4},
    P2[] = {3.23774891776946035970e0, 6.91522889068984211695e0, 3.93881025292474443415e0, 1.33303460815807542389e0,
    2.01485389549179081538e-1, 1.23716634817820021358e-2, 3.01581553508235416007e-4, 2.65806974686737550832e-6, 6.23974539184983293730e-9},
    Q2[] = {1, 6.02427039364742014255e0, 3.67983563856160859403e0, 1.37702099489081330271e0, 2.16236993594496635890e-1,
    1.34204006088543189037e-2, 3.28014464682127739104e-4, 2.89247864745380683936e-6, 6.79019408009981274425e-9};
  static const double TAIL = 0.135335283236612691894; /* exp(-2) */
  int upper = y > 1 - TAIL;
  if (upper) y = 1 - y;
  if (y > TAIL) {
    double z = y - 0.5, z2 = z * z;
    return (z + z * (z2 * RATIO(z2, P0, Q0))) * 2.50662827463100050242;
  }
  double x = sqrt(-2 * log(y)), z = 1 / x, found = x - log(x) / x - (x < 8 ? z * RATIO(z, P1, Q1) : z * RATIO(z, P2, Q2));
  return upper ? found : -found;
}

/* Of one column: the share of training rows below, read off both ways and averaged, as scikit-learn does. */
static void op_rank(const double *x, const double *q, const double *r, int32_t n, int on_bell, double *to) {
  static const double EDGE = 1e-7, LOW = -5.199337582605575, HIGH = 5.19933758270342; /* the bell is cut off there */
  double share = (interpolated(*x, q, r, n, 1) - interpolated(-*x, q, r, n, -1)) / 2;
  if (on_bell ? *x + EDGE > q[n - 1] : *x == q[n - 1]) share = 1;
  if (on_bell ? *x - EDGE < q[0] : *x == q[0]) share = 0;
  if (isnan(*x) || !on_bell) { *to = isnan(*x) ? *x : share; return; }
  *to = share <= 0 ? LOW : share >= 1 ? HIGH : bell(share);
  *to = *to < LOW ? LOW : *to > HIGH ? HIGH : *to;
}

enum { YEAR, MONTH, DAY_OF_MONTH, WEEKDAY, HOUR, ELAPSED };

/* Parts of a moment. */
static void op_calendar(const double *x, const unsigned char *parts, int32_t n, double *to) {
  if (isnan(x[0])) { for (int32_t i = 0; i < n; i++) to[i] = NAN; return; }
  int32_t days = (int32_t)x[0] + 10957, z = days + 719468, era = z / 146097, of_era = z - era * 146097;
  int32_t of_year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  int32_t rest = of_era - (365 * of_year + of_year / 4 - of_year / 100), m = (5 * rest + 2) / 153, month = m < 10 ? m + 3 : m - 9;
  for (int32_t i = 0; i < n; i++)
    switch (parts[i]) {
      case YEAR: to[i] = (double)(of_year + era * 400 + (month <= 2)); break;
      case MONTH: to[i] = (double)month; break;
      case DAY_OF_MONTH: to[i] = (double)(rest - (153 * m + 2) / 5 + 1); break;
      case WEEKDAY: to[i] = (double)(((days + 3) % 7 + 7) % 7); break;
      case HOUR: to[i] = floor(x[1] / 3600e6); break;
      default: to[i] = (x[0] * 86400e6 + x[1]) / 86400e6;
    }
}

/* ---- models ----------------------------------------------------------------------------------------------------------------------- */

enum { IDENTITY, LOGISTIC, RELU, TANH, EXP, POWER };

static num bent(num z, int bend, num power) {
  switch (bend) {
    case LOGISTIC: return 1 / (1 + F(exp)(-z)); /* no branch, which half of all rows would guess wrong */
    case RELU: return z < 0 ? 0 : z;
    case TANH: return F(tanh)(z);
    case EXP: return F(exp)(z);
    case POWER: return F(pow)(z, power);
    default: return z;
  }
}

static void op_bend(const num *x, int32_t n, const num *times, int bend, num *to) {
  for (int32_t i = 0; i < n; i++) to[i] = bent(x[i] * times[i], bend, 1);
}

static void op_layer(const num *x, int32_t k, const num *weights, const num *bias, int32_t m, int bend, num power, num *to) {
  for (int32_t j = 0; j < m; j++, weights += k) {
    num z = 0;
    for (int32_t i = 0; i < k; i++) z += weights[i] * x[i];
    to[j] = bent(z + bias[j], bend, power);
  }
}

/* Squared distances to m centres; `weights` is NULL where all are 1. */
static void op_distance(const num *x, int32_t k, const num *centres, const num *weights, int32_t m, num *to) {
  for (int32_t j = 0; j < m; j++) {
    num sum = 0;
    for (int32_t i = 0; i < k; i++) {
      num far = x[i] - *centres++, square = far * far;
      sum += weights == NULL ? square : *weights++ * square;
    }
    to[j] = sum;
  }
}

/* The mean of the answers of the k nearest of m, of two as near the first; `rows` and `far` have room for k. */
static void op_nearest(const num *x, int32_t m, int32_t k, int inverse, const num *answers, int32_t n, int32_t *rows, num *far, num *to) {
  int32_t found = 0, i;
  num total = 0;
  for (int32_t j = 0; j < m; j++) {
    num d = F(sqrt)(x[j]);
    if (found == k && d >= far[k - 1]) continue;
    if (found < k) found++;
    for (i = found - 1; i > 0 && far[i - 1] > d; i--) { far[i] = far[i - 1]; rows[i] = rows[i - 1]; }
    far[i] = d;
    rows[i] = j;
  }
  for (i = 0; i < n; i++) to[i] = 0;
  for (i = 0; i < found; i++) {
    num weight = !inverse ? 1 : far[0] == 0 ? far[i] == 0 : 1 / far[i];
    total += weight;
    for (int32_t c = 0; c < n; c++) to[c] += answers[rows[i] * n + c] * weight;
  }
  for (i = 0; i < n; i++) to[i] /= total;
}

/* A question goes left where x[place] <= at, and a gap right; with `ask` 1 a gap goes left; from 2 on, `ask` - 2 is a set of codes that go
   left, in which 255 stands for a gap. The node of the left comes next. A leaf asks a place that is always a gap, and its `right` is 0: `at`
   is its value, or the number of its row in a table of leaves. */
typedef struct { num at; int32_t right; uint16_t place, ask; } node;

/* One step down, or none from a leaf. Written without branches, since no processor can guess them. */
static const node *next_of(const double *x, const node *n, const uint32_t (*sets)[8]) {
  double v = x[n->place];
  int left = v <= n->at;
  if (TREES_ASK > 0) left |= n->ask & (v != v);
  if (TREES_ASK > 1 && n->ask > 1) {
    uint32_t code = v >= 0 && v < 255 ? (uint32_t)v : 255;
    left = (int)(sets[n->ask - 2][code / 32] >> code % 32 & 1);
  }
  return n + (n->right ^ ((n->right ^ 1) & -left));
}

/* The leaves of eight trees, walked side by side so that none waits for another. */
static void eight_leaves(const double *x, const node *nodes, const uint32_t (*sets)[8], const int32_t *roots, const node **leaf) {
  const node *a = nodes + roots[0], *b = nodes + roots[1], *c = nodes + roots[2], *d = nodes + roots[3];
  const node *e = nodes + roots[4], *f = nodes + roots[5], *g = nodes + roots[6], *h = nodes + roots[7];
  while (a->right | b->right | c->right | d->right | e->right | f->right | g->right | h->right) {
    a = next_of(x, a, sets); b = next_of(x, b, sets); c = next_of(x, c, sets); d = next_of(x, d, sets);
    e = next_of(x, e, sets); f = next_of(x, f, sets); g = next_of(x, g, sets); h = next_of(x, h, sets);
  }
  leaf[0] = a; leaf[1] = b; leaf[2] = c; leaf[3] = d; leaf[4] = e; leaf[5] = f; leaf[6] = g; leaf[7] = h;
}

/* Trees whose leaves have numbers for `width` scores, beginning with the tree's own; the number itself where `leaves` is NULL. There are
   roots for a multiple of eight trees, of which `n` count. */
static void op_trees(const double *x, const node *nodes, const uint32_t (*sets)[8], const int32_t *roots, const uint16_t *scores, int32_t n,
                     const num *leaves, int32_t width, num *to) {
  const node *found[8];
  for (int32_t t = 0; t < n; t++) {
    if (t % 8 == 0) eight_leaves(x, nodes, sets, roots + t, found);
    const num *leaf = leaves == NULL ? &found[t % 8]->at : leaves + (int32_t)found[t % 8]->at * width;
    for (int32_t k = 0; k < width; k++) to[scores[t] + k] += leaf[k];
  }
}

#define LEAF ((rank)-1) /* also the rank of a gap that goes right: it is above all others */

/* A column of ranks: of the place's value among its `n` thresholds from `first` on; a gap has the rank `gap`. Where `set` is not 0, it is 0
   for the codes of that set and 1 for others. */
typedef struct { uint16_t place, set; uint32_t first; uint16_t n; rank gap; } column;

/* How many of sorted thresholds are below a value. */
static int32_t rank_of(double v, const double *thresholds, int32_t n) {
  const double *from = thresholds;
  while (n > 0) {
    int32_t half = n / 2;
    if (from[half] < v) { from += half + 1; n -= half + 1; } else n = half;
  }
  return (int32_t)(from - thresholds);
}

static void op_ranks(const double *x, const column *columns, int32_t n, const double *thresholds, const uint32_t (*sets)[8], rank *to) {
  for (int32_t i = 0; i < n; i++) {
    const column *c = columns + i;
    double v = x[c->place];
    uint32_t code = v >= 0 && v < 255 ? (uint32_t)v : 255;
    if (c->set) to[i] = !(sets[c->set - 1][code / 32] >> code % 32 & 1);
    else if (isnan(v)) to[i] = c->gap;
    else to[i] = i > 0 && c[-1].n > 0 && c[-1].first == c->first ? to[i - 1] : (rank)rank_of(v, thresholds + c->first, c->n);
  }
}

/* A question goes left where the rank is at most `at`. A leaf has `place` LEAF, and in `right` the number of its row in a table. */
typedef struct { jump right; rank place, at; } ranked;

static const ranked *next_ranked(const rank *r, const ranked *n) {
  int inner = n->place != LEAF, left = r[inner ? n->place : 0] <= n->at;
  return n + ((n->right ^ ((n->right ^ 1) & -left)) & -inner);
}

/* As op_trees, four side by side. */
static void op_ranked(const rank *r, const ranked *nodes, const int32_t *roots, const uint16_t *scores, int32_t n, const num *leaves,
                      int32_t width, num *to) {
  const ranked *at[4] = {nodes, nodes, nodes, nodes};
  for (int32_t t = 0; t < n; t++) {
    if (t % 4 == 0) {
      const ranked *a = nodes + roots[t], *b = nodes + roots[t + 1], *c = nodes + roots[t + 2], *d = nodes + roots[t + 3];
      while (!(a->place == LEAF && b->place == LEAF && c->place == LEAF && d->place == LEAF)) {
        a = next_ranked(r, a);
        b = next_ranked(r, b);
        c = next_ranked(r, c);
        d = next_ranked(r, d);
      }
      at[0] = a; at[1] = b; at[2] = c; at[3] = d;
    }
    const num *leaf = leaves + (int32_t)at[t % 4]->right * width;
    for (int32_t k = 0; k < width; k++) to[scores[t] + k] += leaf[k];
  }
}

static void added(num *x, int32_t n, const num *more) { for (int32_t i = 0; i < n; i++) x[i] += more[i]; }

static void divided(num *x, int32_t n, num by) { for (int32_t i = 0; i < n; i++) x[i] /= by; }

static void op_softmax(const num *x, int32_t n, num *to) {
  num most = x[0], total = 0;
  for (int32_t i = 1; i < n; i++) if (x[i] > most) most = x[i];
  for (int32_t i = 0; i < n; i++) total += to[i] = F(exp)(x[i] - most);
  for (int32_t i = 0; i < n; i++) to[i] /= total;
}

static void op_share(const double *x, int32_t n, double *to) {
  double total = 0;
  for (int32_t i = 0; i < n; i++) total += x[i];
  for (int32_t i = 0; i < n; i++) to[i] = total == 0 ? 1 / (double)n : x[i] / total;
}

/* The weighted mean of the scores of k members. */
static void op_mean(const double *x, const double *weights, int32_t k, int32_t n, double *to) {
  double total = 0;
  for (int32_t m = 0; m < k; m++) total += weights[m];
  for (int32_t i = 0; i < n; i++) {
    double sum = 0;
    for (int32_t m = 0; m < k; m++) sum += weights[m] * x[m * n + i];
    to[i] = sum / total;
  }
}

/* What n classes get of their duels, two by two: NaN where the sum of a class is not finite. `sums` has room for n. */
static void op_duel(const double *x, int32_t n, int votes_only, double *sums, double *to) {
  for (int32_t i = 0; i < n; i++) to[i] = sums[i] = 0;
  for (int32_t i = 0; i < n; i++)
    for (int32_t j = i + 1; j < n; j++, x++) {
      sums[i] += *x;
      sums[j] -= *x;
      to[*x >= 0 ? i : j] += 1;
    }
  for (int32_t i = 0; i < n; i++) to[i] += votes_only ? 0 * sums[i] : sums[i] / (3 * (fabs(sums[i]) + 1));
}

/* The first of the largest. */
static int32_t best_of(const num *scores, int32_t n) {
  int32_t best = 0;
  for (int32_t i = 1; i < n; i++) if (scores[i] > scores[best]) best = i;
  return best;
}
