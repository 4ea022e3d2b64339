package mlwork

import java.io.InputStream

/** What a model says of a row: [value] is the number of a regression or the class; [probabilities] are empty where it gives none. */
data class Prediction(val value: Any, val probabilities: Map<String, Double>)

/** A portable model; all threads may ask one at once. */
class Model private constructor(private val portable: Portable) {
    /** What a raw row holds: names, kinds, units, levels. */
    val columns: List<Portable.Column> = portable.columns()

    /** Answer for a raw row: text, numbers, true or false, null where unknown. Throws [Portable.Refused], which says why. */
    fun predict(row: Map<String, Any?>): Prediction =
        portable.predict(row).let { Prediction(it.prediction, it.probabilities()) }

    fun predict(vararg row: Pair<String, Any?>): Prediction = predict(mapOf(*row))

    companion object {
        /** The model of an open file, such as `assets.open("model.json")`; closes it. */
        fun read(from: InputStream): Model = Model(Portable.read(from))

        /** The model that Gradle packed with these classes. */
        fun bundled(): Model =
            read(checkNotNull(Model::class.java.getResourceAsStream("model.json")) { "mlwork/model.json must be among the resources" })
    }
}
