import Foundation
import XCTest
@testable import Model

/// The golden rows, which tell what Python answered.
private struct Golden: Decodable {
    struct Wanted: Decodable {
        let prediction: Cell
        let scores: [Cell]
    }
    let rows: [[String: Cell]]
    let answers: [Wanted?]
    let sizes: [Double?]
}

final class GoldenTests: XCTestCase {
    func testTheModelAnswersAsInPython() throws {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: package.appendingPathComponent("Sources/CModel/golden.json")))
        XCTAssertFalse(golden.rows.isEmpty)
        for (row, (wanted, size)) in zip(golden.rows, zip(golden.answers, golden.sizes)) {
            let got = try? Model().predict(row)
            XCTAssertEqual(got == nil, wanted == nil, "\(row)")
            guard let got, let wanted else { continue }
            for (score, cell) in zip(got.scores, wanted.scores) {
                switch cell {
                case .number(let expected): XCTAssertEqual(score, expected, accuracy: 1e-12 * max(1, size ?? 1), "\(row)")
                case .text(let label): XCTAssertEqual(got.label, label, "\(row)") // a model without probabilities
                default: XCTFail("\(row)")
                }
            }
        }
    }
}
