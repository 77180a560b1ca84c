package import struct NIOCore.ByteBuffer

/// `* CAPABILITY IMAP4rev1 IDLE` (RFC 9051 §7.2.2).
package struct CapabilityResponse: Equatable, Sendable {
    /// In upper case.
    package var capabilities: [String]

    /// Reads a whole response.
    ///
    /// - Parameter response: with `* ` and CR LF.
    /// - Throws: what is not of this form.
    package init(_ response: ByteBuffer) throws(SyntaxError) {
        var cursor = try Cursor(data: response, "CAPABILITY ")
        self.capabilities = try cursor.capabilityList()
        try cursor.expectLineEnd()
    }
}

extension Cursor {
    /// A server has about fifty; a list is kept for each account.
    private static let maximumCapabilities = 500

    /// Capabilities up to the line's end or a bracket.
    ///
    ///     *(SP capability)
    ///
    /// - Returns: in upper case.
    mutating func capabilityList() throws(SyntaxError) -> [String] {
        var names: [String] = []
        repeat {
            let name = self.takeRun { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "]") }
            if name.readableBytes > 0 { names.append(name.uppercasedText()) }
            guard names.count <= Self.maximumCapabilities else {
                throw self.error(.commandTooLarge)
            }
        } while self.take(" ")
        return names
    }
}
