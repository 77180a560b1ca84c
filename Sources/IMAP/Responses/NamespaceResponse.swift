package import struct NIOCore.ByteBuffer

/// `* NAMESPACE (("" "/")) NIL NIL` (RFC 9051 §7.3.2).
package struct NamespaceResponse: Equatable, Sendable {
    /// One namespace.
    package struct Namespace: Equatable, Sendable {
        /// The prefix, as octets on the wire.
        package var prefix: ByteBuffer
        /// The hierarchy delimiter; nil for a flat namespace.
        package var delimiter: UInt8?
    }

    /// Namespaces of the user's own mailboxes.
    package var personal: [Namespace]
    /// Namespaces of other users' mailboxes.
    package var others: [Namespace]
    /// Shared namespaces.
    package var shared: [Namespace]

    /// Parses a whole response.
    ///
    /// - Parameter response: the response from `* ` to CR LF.
    /// - Throws: `SyntaxError` for any other form.
    package init(_ response: ByteBuffer) throws(SyntaxError) {
        var cursor = try Cursor(data: response, name: "NAMESPACE ")
        cursor.skipSpaces()
        self.personal = try cursor.namespaces()
        try cursor.expectSpaces()
        self.others = try cursor.namespaces()
        try cursor.expectSpaces()
        self.shared = try cursor.namespaces()
        try cursor.expectLineEnd()
    }
}

extension Cursor {
    /// Parses the namespaces of one kind.
    ///
    ///     namespace = nil / "(" 1*namespace-descr ")"
    fileprivate mutating func namespaces() throws(SyntaxError) -> [NamespaceResponse.Namespace] {
        if self.take(word: "NIL") { return [] }
        try self.expect("(")
        var namespaces: [NamespaceResponse.Namespace] = []
        self.skipSpaces()
        while !self.take(")") {
            namespaces.append(try self.namespaceDescription())
            self.skipSpaces()
        }
        return namespaces
    }

    /// Parses a prefix and its delimiter.
    ///
    ///     namespace-descr = "(" string SP (DQUOTE QUOTED-CHAR DQUOTE / nil)
    ///         [namespace-response-extensions] ")"
    private mutating func namespaceDescription() throws(SyntaxError) -> NamespaceResponse.Namespace
    {
        try self.expect("(")
        let prefix = try self.string()
        try self.expectSpaces()
        let delimiter = try self.delimiter()
        try self.skipToClose()
        return NamespaceResponse.Namespace(prefix: prefix, delimiter: delimiter)
    }
}
