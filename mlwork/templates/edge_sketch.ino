// One row, answered every ten seconds. Open this folder as a sketch; put your sensors' values into `cells`.
#include "model.h"

void setup() { Serial.begin(115200); }

void loop() {
  static const model_cell cells[MODEL_COLUMNS] = {  // a kind, a number, a text, the text's length
$cells
  };
  static model_answer answer;
  int error = model_predict(cells, &answer);
  if (error != MODEL_OK) {
    Serial.print("no answer: ");
    Serial.println(error);
  } else if (answer.label >= 0) {
    Serial.println(model_classes[answer.label]);
  } else {
    Serial.println(answer.scores[0], 6);
  }
  delay(10000);
}
