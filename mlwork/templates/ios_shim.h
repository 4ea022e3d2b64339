/* What Swift sees of the tables of model.h: arrays of C would be tuples there. */
#ifndef SHIM_H
#define SHIM_H

#include "model.h"

const char *model_column(int i);
int model_may_lack(int i);
const char *model_class(int k); /* NULL behind the last one */
double model_score(const model_answer *answer, int k);

#endif
