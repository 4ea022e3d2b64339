// One row, answered every ten seconds. Open this folder as a sketch.
#include "model.h"

// A kind, a number, a text, the text's length: usual values of training, until your sensors' take their places.
static model_cell cells[MODEL_COLUMNS] = {
$cells
};

void setup() { Serial.begin(115200); }

// Puts a number into a column; one that is not finite counts as missing.
static void put(int column, model_num number) {
  cells[column].kind = isfinite(number) ? MODEL_NUMBER : MODEL_MISSING;
  cells[column].number = number;
}

void loop() {
  static model_answer answer;
  // A sensor's value, in the unit of training, goes in before the model is asked:
  // put($at, analogRead(A0) * 0.1);  // $name
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
