package import struct NIOCore.ByteBuffer

/// `* NAMESPACE (("" "/")) NIL NIL` (RFC 9051 §7.3.2).
package struct NamespaceResponse: Equatable, Sendable {
    package struct Namespace: Equatable, Sendable {
        /// Wire octets.
        package var prefix: ByteBuffer
        package var delimiter: UInt8?
    }

    package var personal: [Namespace]
    package var others: [Namespace]
    package var shared: [Namespace]

    /// Reads a whole response.
    ///
    /// - Parameter response: with `* ` and CR LF.
    /// - Throws: what is not of this form.
    package init(_ response: ByteBuffer) throws(SyntaxError) {
        var cursor = try Cursor(data: response, "NAMESPACE ")
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
    /// The namespaces of one kind.
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

    /// A prefix and its delimiter.
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
