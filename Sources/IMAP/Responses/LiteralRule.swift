import struct NIOCore.ByteBuffer

/// The meaning of `{5}` at the end of a response's line.
enum LiteralRule: Equatable {
    /// Text: status responses and continuations may end with any text.
    case text
    /// A protocol violation: this data contains no strings. The gateway would read a literal there,
    /// and the client would read its octets as responses.
    case forbidden
    /// The announcement of a literal.
    case allowed

    /// - Parameter line: a response from its start; the first words suffice.
    init(_ line: ByteBuffer) {
        var cursor = Cursor(line)
        guard cursor.take("*"), cursor.take(" ") else {
            self = .text
            return
        }
        let digits = cursor.takeRun(where: { $0.isDigit })
        guard digits.readableBytes == 0 else {
            self = cursor.take(word: " FETCH (") ? .allowed : .forbidden
            return
        }
        let word = cursor.takeRun(where: { $0.isAtomChar })
        self = Condition(word) == nil ? DataKind(word).literalRule : .text
    }
}

extension DataKind {
    fileprivate var literalRule: LiteralRule {
        switch self {
        case .capability, .enabled, .search, .sort, .thread, .esearch, .flags, .vanished:
            .forbidden
        case .list, .lsub, .status, .namespace, .quota, .quotaRoot, .unknown:
            .allowed
        }
    }
}
