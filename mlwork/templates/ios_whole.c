/* model.c as a part of the package: no multiplication is fused with an addition, which would round otherwise than in Python. */
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif
#include "model.c"
#include "shim.h"

const char *model_column(int i) { return model_columns[i]; }
int model_may_lack(int i) { return model_optional[i]; }
const char *model_class(int k) { return model_classes[k]; }
double model_score(const model_answer *answer, int k) { return answer->scores[k]; }
