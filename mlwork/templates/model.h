/* $title

   Columns, in the order of the cells (the kind is what training had; any cell may be of any kind):
$columns
*/
#ifndef MODEL_H
#define MODEL_H

#include <float.h>
#include <stddef.h>

#if DBL_MANT_DIG < 53
#error "a double must have 64 bits, or columns lose the digits that the model needs (avr-gcc: -mdouble=64)"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define MODEL_SHA256 "$sha256"
#define MODEL_COLUMNS $cells
#define MODEL_SCORES $scores
#define MODEL_CLASSES $classes /* 0: the one score is the prediction */
#define MODEL_CLASSES_ARE_TEXT $text
#define MODEL_SCORES_ARE_PROBABILITIES $probabilities
#define MODEL_TAKES_NUMBERS $numbers /* 1: all columns are numbers, and there is model_scores */
#define MODEL_BOUND $bound /* how far an answer may be from Python's, in parts of the larger of 1 and the sum of the absolute terms */

typedef $number model_num;

enum { MODEL_MISSING, MODEL_NUMBER, MODEL_TRUTH, MODEL_TEXT };

/* `number` is a number, or 1 or 0 of a truth; `text` is UTF-8 and needs no nought at its end, but must stay while model_predict runs. */
typedef struct { int kind; double number; const char *text; size_t length; } model_cell;

/* `label` is the number of a class in model_classes; -1 where there are none. */
typedef struct { model_num scores[MODEL_SCORES]; int label; } model_answer;

enum {
  MODEL_OK,
  MODEL_BAD_CELL, /* a cell that cannot be meant, such as a word among numbers */
  MODEL_REFUSED, /* a value is missing that the model must know, or is too large for it */
  MODEL_NO_ANSWER, /* a score is not a finite number */
  MODEL_NOT_UTF8,
  MODEL_TOO_LARGE /* a number beyond what model_num can hold, where the model calculates with it */
};

extern const char *const model_columns[MODEL_COLUMNS];
extern const unsigned char model_optional[MODEL_COLUMNS]; /* 1 where a row may lack the column */
extern const char *const model_classes[MODEL_CLASSES + 1]; /* ends with NULL */

/* Answers one row: gives MODEL_OK, or why there is no answer. Keeps nothing, allocates nothing; any number of threads may call it. */
int model_predict(const model_cell cells[MODEL_COLUMNS], model_answer *answer);

#if MODEL_TAKES_NUMBERS
/* The scores of a row of numbers, in the order of the columns, NAN where one is missing: the fast way for values that are known to be sound.
   What model_predict looks at first is not looked at: none may be infinite, or missing where the model must know it; a score may come out as NAN. Gives MODEL_OK, or why there are no scores. */
int model_scores(const double numbers[MODEL_COLUMNS], model_num scores[MODEL_SCORES]);
#endif

#ifdef __cplusplus
}
#endif

#endif
