import struct NIOCore.ByteBuffer

/// What `{5}` at the end of a response's line means.
enum LiteralRule: Equatable {
    /// Text, which may end in anything: status responses and continuations.
    case text
    /// A violation: data without strings. A literal there would be one for the gateway alone, and
    /// its octets would be responses for the client.
    case forbidden
    /// The announcement of a literal.
    case allowed

    /// - Parameter line: a response from its beginning; its first words suffice.
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
