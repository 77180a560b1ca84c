package import struct NIOCore.ByteBuffer

/// `* CAPABILITY IMAP4rev1 IDLE` (RFC 9051 §7.2.2).
package struct CapabilityResponse: Equatable, Sendable {
    /// The names in upper case.
    package var capabilities: [String]

    /// Parses a whole response.
    ///
    /// - Parameter response: the response from `* ` to CR LF.
    /// - Throws: `SyntaxError` for any other form.
    package init(_ response: ByteBuffer) throws(SyntaxError) {
        var cursor = try Cursor(data: response, name: "CAPABILITY ")
        self.capabilities = try cursor.capabilityList()
        try cursor.expectLineEnd()
    }
}

extension Cursor {
    /// The most capabilities: a server has about fifty, and the list is kept for each account.
    private static let maximumCapabilities = 500

    /// Parses capabilities up to the line end or a bracket.
    ///
    ///     *(SP capability)
    ///
    /// - Returns: the names in upper case.
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
