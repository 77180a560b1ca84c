package import struct NIOCore.ByteBuffer

/// A section specification, the part in brackets: `1.2.HEADER.FIELDS (From To)`.
package struct Section: Equatable, Sendable {
    /// The part of the message or body part.
    package enum Text: Equatable, Sendable {
        case header
        case text
        case mime
        case fields([ByteBuffer], isNegated: Bool)
    }

    /// The deepest part number: no real message nests deeper.
    static let maximumParts = 32

    /// The numbers of nested body parts; empty for the message itself.
    package var part: [UInt32]
    /// The requested text; nil for everything.
    package var text: Text?

    func encode(into encoder: inout CommandEncoder) {
        encoder.append("[")
        for (index, number) in self.part.enumerated() {
            if index > 0 { encoder.append(".") }
            encoder.append(raw: ByteBuffer(string: String(number)))
        }
        if !self.part.isEmpty, self.text != nil { encoder.append(".") }
        switch self.text {
        case .header: encoder.append("HEADER")
        case .text: encoder.append("TEXT")
        case .mime: encoder.append("MIME")
        case .fields(let names, let isNegated):
            encoder.append(isNegated ? "HEADER.FIELDS.NOT" : "HEADER.FIELDS")
            encoder.open()
            for name in names { encoder.write(astring: name) }
            encoder.close()
        case .none: break
        }
        encoder.append("]")
    }
}
