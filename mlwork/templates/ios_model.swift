import CModel

/// What a raw row holds in a column: a literal may be written for it, `nil` where it is unknown.
public enum Cell: Equatable, Sendable {
    case missing, number(Double), truth(Bool), text(String)
}

extension Cell: ExpressibleByNilLiteral, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral, ExpressibleByStringLiteral {
    public init(nilLiteral: ()) { self = .missing }
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(integerLiteral value: Int) { self = .number(Double(value)) }
    public init(booleanLiteral value: Bool) { self = .truth(value) }
    public init(stringLiteral value: String) { self = .text(value) }
}

extension Cell: Decodable {
    public init(from decoder: Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() { self = .missing }
        else if let truth = try? value.decode(Bool.self) { self = .truth(truth) }
        else if let number = try? value.decode(Double.self) { self = .number(number) }
        else { self = .text(try value.decode(String.self)) }
    }
}

/// What a model says of a row.
public struct Answer: Equatable, Sendable {
    /// The class; `nil` for a regression.
    public let label: String?
    /// The probabilities in the order of `Model.classes`; for a regression the one number.
    public let scores: [Double]
    /// The number of a regression.
    public var value: Double { scores[0] }
    /// The probability of each class; empty where the model gives none.
    public var probabilities: [String: Double] {
        MODEL_SCORES_ARE_PROBABILITIES == 1 ? Dictionary(uniqueKeysWithValues: zip(Model.classes, scores)) : [:]
    }
}

/// Why a row gets no answer.
public enum Refused: Error, Equatable {
    case columnMissing(String)
    /// A cell that cannot be meant, such as a word among numbers.
    case badCell
    /// A value is missing that the model must know, or is too large for it.
    case outOfReach
    case noAnswer
    case failed(code: Int)
}

/// The model. It keeps nothing between rows: any number of threads may ask it.
public struct Model: Sendable {
    public static let columns = (0..<Int(MODEL_COLUMNS)).map { String(cString: model_column(Int32($0))) }
    public static let classes = (0..<Int(MODEL_CLASSES)).map { String(cString: model_class(Int32($0))) }
    public static let sha256 = MODEL_SHA256

    public init() {}

    /// Answer for one raw row: every column must be there, `nil` where its value is unknown.
    public func predict(_ row: [String: Cell]) throws -> Answer {
        var bytes: [CChar] = [], cells: [model_cell] = [], starts: [Int?] = []
        for (i, name) in Model.columns.enumerated() {
            let lacking = model_may_lack(Int32(i)) == 1 ? Optional.some(Cell.missing) : Optional.none
            guard let cell = row[name] ?? lacking else { throw Refused.columnMissing(name) }
            var raw = model_cell(), start: Int?
            switch cell {
            case .missing: raw.kind = Int32(MODEL_MISSING)
            case .number(let value): (raw.kind, raw.number) = (Int32(MODEL_NUMBER), value)
            case .truth(let value): (raw.kind, raw.number) = (Int32(MODEL_TRUTH), value ? 1 : 0)
            case .text(let value):
                start = bytes.count
                bytes += value.utf8.map { CChar(bitPattern: $0) }
                (raw.kind, raw.length) = (Int32(MODEL_TEXT), bytes.count - start!)
            }
            cells.append(raw)
            starts.append(start)
        }
        bytes.append(0) // so that there is an address even without a text
        return try bytes.withUnsafeBufferPointer { all in
            for (i, start) in starts.enumerated() { cells[i].text = start.map { all.baseAddress! + $0 } }
            return try Model.ask(cells)
        }
    }

    private static func ask(_ cells: [model_cell]) throws -> Answer {
        var answer = model_answer()
        switch Int(model_predict(cells, &answer)) {
        case MODEL_OK: break
        case MODEL_BAD_CELL: throw Refused.badCell
        case MODEL_REFUSED: throw Refused.outOfReach
        case MODEL_NO_ANSWER: throw Refused.noAnswer
        case let code: throw Refused.failed(code: code)
        }
        let scores = (0..<Int(MODEL_SCORES)).map { model_score(&answer, Int32($0)) }
        return Answer(label: answer.label < 0 ? nil : Model.classes[Int(answer.label)], scores: scores)
    }
}
