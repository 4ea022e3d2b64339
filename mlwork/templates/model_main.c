/* Reads rows, one JSON object a line, and writes one answer a line:
     ./model < rows.jsonl              {"prediction":"no","scores":[0.75,0.25]}   or   {"error":"line 3, 'floor': ..."}
     ./model --test golden.lines       a row, then what Python says of it, and so on; tells how many agree
     ./model --time 100 < rows.jsonl   asks each row 100 times and tells on stderr how long a row took
   Ends with 0; with 1 where a row was refused, or differs; with 2 where a line could not be read, or there was none. */
#define _POSIX_C_SOURCE 199309L
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "model.h"

#define LINE 65536
#define DEEP 1024 /* buckets of durations, each about 3 % wide */

static char line[LINE];
static uint32_t counts[DEEP];

/* Reads a line without its end; gives 0 at the end of the input, -1 where the line is too long or holds a nought. */
static int read_line(void) {
  size_t n = 0;
  int c, bad = 0, any = 0;
  while ((c = getchar()) != EOF) {
    any = 1;
    if (c == '\n') break;
    if (c == 0 || n == LINE - 1) bad = 1; else line[n++] = (char)c;
  }
  if (n > 0 && line[n - 1] == '\r') n--;
  line[n] = '\0';
  return bad ? -1 : any;
}

static char *blanks(char *s) { return s + strspn(s, " \t"); }

static int hex(const char *s) {
  int code = 0;
  for (int i = 0; i < 4; i++) {
    const char *digits = "0123456789abcdef", *found = s[i] == '\0' ? NULL : strchr(digits, s[i] | (s[i] >= 'A' && s[i] <= 'F' ? 32 : 0));
    if (found == NULL) return -1;
    code = code * 16 + (int)(found - digits);
  }
  return code;
}

static char *put(long c, char *to) {
  if (c < 0x80) { *to++ = (char)c; return to; }
  if (c < 0x800) *to++ = (char)(0xc0 | c >> 6);
  else if (c < 0x10000) { *to++ = (char)(0xe0 | c >> 12); *to++ = (char)(0x80 | (c >> 6 & 0x3f)); }
  else { *to++ = (char)(0xf0 | c >> 18); *to++ = (char)(0x80 | (c >> 12 & 0x3f)); *to++ = (char)(0x80 | (c >> 6 & 0x3f)); }
  *to++ = (char)(0x80 | (c & 0x3f));
  return to;
}

/* A string, unescaped where it stands; NULL where it is none. `s` is behind the first quotation mark. */
static char *string(char *s, char **text, size_t *length) {
  char *to = *text = s;
  for (; *s != '"'; ) {
    if ((unsigned char)*s < 0x20) return NULL;
    if (*s != '\\') { *to++ = *s++; continue; }
    const char *plain = "\"\\/bfnrt", *means = "\"\\/\b\f\n\r\t", *found = s[1] == '\0' ? NULL : strchr(plain, s[1]);
    if (found != NULL) { *to++ = means[found - plain]; s += 2; continue; }
    if (s[1] != 'u') return NULL;
    long c = hex(s + 2), low;
    if (c < 0 || (c >= 0xdc00 && c < 0xe000)) return NULL;
    s += 6;
    if (c >= 0xd800 && c < 0xdc00) {
      if (s[0] != '\\' || s[1] != 'u' || (low = hex(s + 2)) < 0xdc00 || low >= 0xe000) return NULL;
      c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
      s += 6;
    }
    to = put(c, to);
  }
  *length = (size_t)(to - *text);
  return s + 1;
}

/* A number as JSON writes it; NULL where it is none. */
static char *number(char *s, double *value) {
  char *first = s;
  s += *s == '-';
  size_t n = strspn(s, "0123456789");
  if (n == 0 || (n > 1 && *s == '0')) return NULL;
  s += n;
  if (*s == '.') { if ((n = strspn(s + 1, "0123456789")) == 0) return NULL; s += n + 1; }
  if (*s == 'e' || *s == 'E') {
    s += s[1] == '+' || s[1] == '-' ? 2 : 1;
    if ((n = strspn(s, "0123456789")) == 0) return NULL;
    s += n;
  }
  *value = strtod(first, NULL);
  return s;
}

static char *value(char *s, model_cell *cell) {
  double read = 0;
  char *text = NULL;
  memset(cell, 0, sizeof *cell);
  if (*s == '"') { cell->kind = MODEL_TEXT; s = string(s + 1, &text, &cell->length); cell->text = text; return s; }
  if (strncmp(s, "null", 4) == 0) return s + 4;
  if (strncmp(s, "true", 4) == 0) { cell->kind = MODEL_TRUTH; cell->number = 1; return s + 4; }
  if (strncmp(s, "false", 5) == 0) { cell->kind = MODEL_TRUTH; return s + 5; }
  cell->kind = MODEL_NUMBER;
  if ((s = number(s, &read)) == NULL) return NULL;
  cell->number = read;
  return s;
}

static const char *const WHAT[] = {"", "the cell is none that the column can have", "the value is missing or too large", "the model has no answer",
                                   "the text is not UTF-8", "the number is too large for single precision"};

/* Sorts a row into cells; gives NULL, or what is wrong, and the column where it is one's fault. */
static const char *sort_row(model_cell *cells, int *column) {
  char seen[MODEL_COLUMNS] = {0}, *s = blanks(line), *key;
  size_t length;
  memset(cells, 0, MODEL_COLUMNS * sizeof *cells);
  *column = -1;
  if (*s++ != '{') return "a line must be one JSON object";
  for (s = blanks(s); *s != '}'; ) {
    model_cell cell;
    if (*s != '"' || (s = string(s + 1, &key, &length)) == NULL) return "a name must be a JSON string";
    if (*(s = blanks(s)) != ':' || (s = value(blanks(s + 1), &cell)) == NULL) return "a value must be text, a number, true, false or null";
    for (int i = 0; i < MODEL_COLUMNS; i++)
      if (strlen(model_columns[i]) == length && memcmp(model_columns[i], key, length) == 0) { cells[i] = cell; seen[i] = 1; }
    s = blanks(s);
    if (*s == ',') { if (*(s = blanks(s + 1)) == '}') return "a comma must be followed by a name"; }
    else if (*s != '}') return "a line must be one JSON object";
  }
  if (*blanks(s + 1) != '\0') return "nothing may follow the object";
  for (int i = 0; i < MODEL_COLUMNS; i++) if (!seen[i] && !model_optional[i]) { *column = i; return "a row must have every column; unknown values may be null"; }
  return NULL;
}

/* The column whose cell gives an error also among harmless ones; -1 where there is none. */
static int to_blame(const model_cell *cells, int error) {
  static const char day[] = "2000-01-01";
  const model_cell one = {MODEL_NUMBER, 1, NULL, 0}, date = {MODEL_TEXT, 0, day, sizeof day - 1};
  model_cell tried[MODEL_COLUMNS], harmless;
  model_answer answer;
  memset(tried, 0, sizeof tried);
  for (int i = 0; i < MODEL_COLUMNS; i++) { /* cells are read in their order, before anything else is looked at */
    tried[i] = one;
    if (model_predict(tried, &answer) == MODEL_BAD_CELL) tried[i] = date;
  }
  if (model_predict(tried, &answer) != MODEL_OK) return -1;
  for (int i = 0; i < MODEL_COLUMNS; i++) {
    harmless = tried[i];
    tried[i] = cells[i];
    if (model_predict(tried, &answer) == error) return i;
    tried[i] = harmless;
  }
  return -1;
}

static void write_letters(const char *s) {
  for (; *s; s++) {
    if (*s == '"' || *s == '\\') putchar('\\');
    if ((unsigned char)*s < 0x20) printf("\\u%04x", (unsigned)*s); else putchar(*s);
  }
}

static void write_text(const char *s) {
  putchar('"');
  write_letters(s);
  putchar('"');
}

static void write_error(long at, int column, const char *what) {
  printf("{\"error\":\"line %ld", at);
  if (column >= 0) { fputs(", '", stdout); write_letters(model_columns[column]); putchar('\''); }
  printf(": %s\"}\n", what);
}

static void write_answer(const model_answer *answer) {
  fputs("{\"prediction\":", stdout);
  if (MODEL_CLASSES == 0) printf("%.17g", (double)answer->scores[0]);
  else if (MODEL_CLASSES_ARE_TEXT) write_text(model_classes[answer->label]);
  else fputs(model_classes[answer->label], stdout);
  fputs(",\"scores\":[", stdout);
  for (int i = 0; i < MODEL_SCORES; i++) printf("%s%.17g", i ? "," : "", (double)answer->scores[i]);
  puts("]}");
}

/* Compares with a line such as `0.25 0.75 size 1`, `label 2 size 1` or `refused`. */
static int agrees(int error, const model_answer *answer) {
  char *s = line;
  double wanted[MODEL_SCORES], size;
  if (strcmp(s, "refused") == 0) return error != MODEL_OK;
  if (error != MODEL_OK) return 0;
  if (strncmp(s, "label ", 6) == 0) return strtol(s + 6, NULL, 10) == answer->label;
  for (int i = 0; i < MODEL_SCORES; i++) wanted[i] = strtod(s, &s);
  if (strncmp(s, " size ", 6) != 0) return 0;
  size = strtod(s + 6, NULL);
  for (int i = 0; i < MODEL_SCORES; i++)
    if (!(fabs(wanted[i] - (double)answer->scores[i]) <= MODEL_BOUND * (size > 1 ? size : 1))) return 0;
  return 1;
}

static double now(void) {
#ifdef CLOCK_MONOTONIC
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
#else
  return (double)clock() * (1e9 / CLOCKS_PER_SEC);
#endif
}

static double nanoseconds_at(double share, double rows) {
  double passed = 0;
  int i = 0;
  for (; i < DEEP - 1; i++) if ((passed += counts[i]) >= share * rows) break;
  return pow(2, (i + 0.5) / 24);
}

static int asked(const model_cell *cells, model_answer *answer, long times) {
  double before = now(), took;
  int error = MODEL_OK;
  for (long i = 0; i < times; i++) error = model_predict(cells, answer);
  took = (now() - before) / (double)times;
  counts[took < 1 ? 0 : (int)(log2(took) * 24)]++;
  return error;
}

int main(int argc, char **argv) {
  int test = argc > 1 && strcmp(argv[1], "--test") == 0, timed = argc > 1 && strcmp(argv[1], "--time") == 0, got, error, ended = 0, column;
  long times = timed && argc > 2 ? strtol(argv[2], NULL, 10) : 1, rows = 0, wrong = 0;
  model_cell cells[MODEL_COLUMNS];
  model_answer answer;
  if (test && argc > 2 && freopen(argv[2], "r", stdin) == NULL) { fputs("the golden lines cannot be opened\n", stderr); return 2; }
  if (times < 1 || (argc > 1 && !test && !timed)) { fputs("usage: model [--test [LINES] | --time [TIMES]] < rows\n", stderr); return 2; }
  for (; (got = read_line()) != 0; rows++) {
    const char *what = got < 0 ? "a line must be shorter than 64 kB and hold no nought" : sort_row(cells, &column);
    error = what != NULL ? MODEL_BAD_CELL : timed ? asked(cells, &answer, times) : model_predict(cells, &answer);
    if (test) {
      if (what != NULL || read_line() != 1 || !agrees(error, &answer)) wrong++;
      continue;
    }
    if (what != NULL) ended = 2; else if (error != MODEL_OK && ended == 0) ended = 1;
    if (error == MODEL_OK) write_answer(&answer);
    else if (what != NULL) write_error(rows + 1, got < 0 ? -1 : column, what);
    else write_error(rows + 1, to_blame(cells, error), WHAT[error]);
  }
  if (rows == 0) { fputs("there must be at least one row\n", stderr); return 2; }
  if (test) printf("%ld of %ld golden rows as in Python\n", rows - wrong, rows);
  if (timed) fprintf(stderr, "%ld rows: median %.0f ns, 99 %% below %.0f ns\n", rows, nanoseconds_at(0.5, (double)rows), nanoseconds_at(0.99, (double)rows));
  return test ? wrong > 0 : ended;
}
