import IMAP
import NIOCore

/// The result of reading octets that arrive in parts: it must not depend on the splits.
struct Reading: Equatable {
    /// A response as its literals and the text between them.
    struct Response: Equatable {
        var parts: [Part] = []
        var text: String { self.parts.map(\.text).joined() }
    }

    struct Part: Equatable {
        var kind: ResponseReader.Piece.Kind
        var octets: [UInt8]
        var text: String { String(decoding: self.octets, as: UTF8.self) }
    }

    var responses: [Response] = []
    /// A response whose end has not arrived.
    var unfinished = Response()
    var error: SyntaxError.Reason?
    /// Octets of an unfinished piece do not count: earlier splits pass on more of them.
    static func == (one: Reading, other: Reading) -> Bool {
        one.responses == other.responses && one.error == other.error
    }

    /// The most octets that the reader kept after all pieces were read.
    private(set) var heldOctets = 0
    /// Whether each response started with its first piece and ended with its last.
    private(set) var isInStep = true

    var texts: [String] { self.responses.map(\.text) }

    init(_ arrivals: [[UInt8]]) {
        var reader = ResponseReader()
        for arrival in arrivals where self.error == nil {
            reader.receive(ByteBuffer(bytes: arrival))
            do {
                while let piece = try reader.next() { self.take(piece) }
            } catch {
                self.error = error.reason
            }
            self.heldOctets = max(self.heldOctets, reader.bufferedOctets)
        }
    }

    private mutating func take(_ piece: ResponseReader.Piece) {
        if piece.isFirst != self.unfinished.parts.isEmpty { self.isInStep = false }
        if piece.octets.readableBytes == 0 { self.isInStep = false }
        let octets = Array(piece.octets.readableBytesView)
        if let last = self.unfinished.parts.last, last.kind == piece.kind, last.isOpen {
            self.unfinished.parts[self.unfinished.parts.count - 1].octets += octets
        } else {
            self.unfinished.parts.append(Part(kind: piece.kind, octets: octets))
        }
        guard piece.isLast else { return }
        if !octets.ends(with: "\r\n") { self.isInStep = false }
        self.responses.append(self.unfinished)
        self.unfinished = Response()
    }
}

extension Reading.Part {
    /// Whether the next piece of the same kind continues it: a line ends with CR LF.
    fileprivate var isOpen: Bool {
        switch self.kind {
        case .line: !self.octets.ends(with: "\r\n")
        case .literal: true
        }
    }
}

extension [UInt8] {
    func ends(with text: String) -> Bool {
        self.suffix(text.utf8.count).elementsEqual(text.utf8)
    }

    /// The octets in parts of `count` octets.
    func cut(every count: Int) -> [[UInt8]] {
        stride(from: 0, to: self.count, by: count).map {
            Array(self[$0..<Swift.min($0 + count, self.count)])
        }
    }

    /// All ways to split the octets once, the whole octets, and single octets.
    var everySplit: [[[UInt8]]] {
        (0...self.count).map { [Array(self[..<$0]), Array(self[$0...])] } + [self.cut(every: 1)]
    }
}
