package import struct NIOCore.ByteBuffer

/// `* QUOTA "" (STORAGE 10 512)` (RFC 9208 §5.1).
package struct QuotaResponse: Equatable, Sendable {
    package struct Resource: Equatable, Sendable {
        package var name: ByteBuffer
        package var usage: UInt64
        package var limit: UInt64
    }

    package var root: ByteBuffer
    package var resources: [Resource]

    /// Reads a whole response.
    ///
    ///     quota-response = "QUOTA" SP quota-root-name SP quota-list
    ///
    /// - Parameter response: with `* ` and CR LF.
    /// - Throws: what is not of this form.
    package init(_ response: ByteBuffer) throws(SyntaxError) {
        var cursor = try Cursor(data: response, "QUOTA ")
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

/// `* QUOTAROOT INBOX ""` (RFC 9208 §5.2).
package struct QuotaRootResponse: Equatable, Sendable {
    package var mailbox: ByteBuffer
    package var roots: [ByteBuffer]

    /// Reads a whole response.
    ///
    ///     quotaroot-response = "QUOTAROOT" SP mailbox *(SP quota-root-name)
    ///
    /// - Parameter response: with `* ` and CR LF.
    /// - Throws: what is not of this form.
    package init(_ response: ByteBuffer) throws(SyntaxError) {
        var cursor = try Cursor(data: response, "QUOTAROOT ")
        cursor.skipSpaces()
        self.mailbox = try cursor.astring()
        self.roots = []
        while !cursor.endsLine {
            try cursor.expectSpaces()
            self.roots.append(try cursor.astring())
        }
        try cursor.expectLineEnd()
    }

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
    /// A resource with its usage and limit.
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
