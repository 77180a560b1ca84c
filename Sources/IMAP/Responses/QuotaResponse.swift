package import struct NIOCore.ByteBuffer

/// `* QUOTA "" (STORAGE 10 512)` (RFC 9208 §4.2.1).
package struct QuotaResponse: Equatable, Sendable {
    /// The use of one resource.
    package struct Resource: Equatable, Sendable {
        /// The resource, for example `STORAGE`, in units of 1,024 octets (RFC 9208 §5.1).
        package var name: ByteBuffer
        /// The current use.
        package var usage: UInt64
        package var limit: UInt64
    }

    /// The name of the quota root.
    package var root: ByteBuffer
    /// The resources with limits.
    package var resources: [Resource]

    /// Parses a whole response.
    ///
    ///     quota-response = "QUOTA" SP quota-root-name SP quota-list
    ///
    /// - Parameter response: the response from `* ` to CR LF.
    /// - Throws: `SyntaxError` for any other form.
    package init(_ response: ByteBuffer) throws(SyntaxError) {
        var cursor = try Cursor(data: response, name: "QUOTA ")
        cursor.skipSpaces()
        self.root = try cursor.astring()
        self.resources = []
        if cursor.isQuotaWithoutList() { return }
        try cursor.expectSpaces()
        self.resources = try cursor.spacedList { cursor throws(SyntaxError) in
            try cursor.quotaResource()
        }
        try cursor.expectLineEnd()
    }

    /// The response on the wire.
    package var encoded: ByteBuffer {
        var line = ByteBuffer()
        line.writeStaticString("* QUOTA ")
        line.writeAstring(self.root)
        line.writeStaticString(" (")
        for (index, resource) in self.resources.enumerated() {
            if index > 0 { line.writeStaticString(" ") }
            line.writeImmutableBuffer(resource.name)
            line.writeString(" \(resource.usage) \(resource.limit)")
        }
        line.writeStaticString(")\r\n")
        return line
    }
}

/// `* QUOTAROOT INBOX ""` (RFC 9208 §4.2.2).
package struct QuotaRootResponse: Equatable, Sendable {
    /// The mailbox, as octets on the wire.
    package var mailbox: ByteBuffer
    /// The names of its quota roots.
    package var roots: [ByteBuffer]

    /// Parses a whole response.
    ///
    ///     quotaroot-response = "QUOTAROOT" SP mailbox *(SP quota-root-name)
    ///
    /// - Parameter response: the response from `* ` to CR LF.
    /// - Throws: `SyntaxError` for any other form.
    package init(_ response: ByteBuffer) throws(SyntaxError) {
        var cursor = try Cursor(data: response, name: "QUOTAROOT ")
        cursor.skipSpaces()
        self.mailbox = try cursor.astring()
        self.roots = []
        while !cursor.endsLine {
            try cursor.expectSpaces()
            self.roots.append(try cursor.astring())
        }
        try cursor.expectLineEnd()
    }

    /// The response on the wire.
    package var encoded: ByteBuffer {
        var line = ByteBuffer()
        line.writeStaticString("* QUOTAROOT ")
        line.writeAstring(self.mailbox)
        for root in self.roots {
            line.writeStaticString(" ")
            line.writeAstring(root)
        }
        line.writeStaticString("\r\n")
        return line
    }
}

extension Cursor {
    /// Parses a resource with its use and limit.
    ///
    ///     quota-resource = resource-name SP resource-usage SP resource-limit
    fileprivate mutating func quotaResource() throws(SyntaxError) -> QuotaResponse.Resource {
        let name = try self.atom()
        try self.expectSpaces()
        let usage = try self.number64()
        try self.expectSpaces()
        return QuotaResponse.Resource(name: name, usage: usage, limit: try self.number64())
    }
}
