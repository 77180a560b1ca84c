import Access
import Foundation

/// Entries of documents as lines: the kind of entry and its JSON with sorted keys.
struct DocumentLines {
    private let encoder: JSONEncoder

    /// Creates the encoder, which serves any number of lines.
    init() {
        self.encoder = JSONEncoder()
        self.encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    }

    /// The line of an entry.
    func line(_ kind: String, value: some DocumentEntry) -> ExactText {
        var line = PlainLine(kind)
        value.write(&line)
        if let text = line.text { return ExactText(text) }
        let octets = (try? self.encoder.encode(value)) ?? Data()
        return ExactText("\(kind) \(String(decoding: octets, as: UTF8.self))")
    }
}
