package import struct NIOCore.ByteBuffer

/// What stands between the brackets: `1.2.HEADER.FIELDS (From To)`.
package struct Section: Equatable, Sendable {
    package enum Text: Equatable, Sendable {
        case header
        case text
        case mime
        case fields([ByteBuffer], isNegated: Bool)
    }

    /// Parts of a message nest no deeper in any mail that a person sent.
    static let maximumParts = 32

    package var part: [UInt32]
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
