// One row, answered every ten seconds. Open this folder as a sketch.
#include "model.h"

// A kind, a number, a text, the text's length: usual values of training, until your sensors' take their places.
static model_cell cells[MODEL_COLUMNS] = {
$cells
};

void setup() { Serial.begin(115200); }

void loop() {
  static model_answer answer;
  // A sensor's value goes in before the model is asked, in the unit of training; where there is none, the kind is MODEL_MISSING. Here $name:
  // cells[$at].kind = MODEL_NUMBER;
  // cells[$at].number = analogRead(A0) * 0.1;
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
