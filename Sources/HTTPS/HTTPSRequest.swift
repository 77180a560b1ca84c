/// A request by HTTPS (RFC 9110).
package struct HTTPSRequest: Sendable {
    package var url: String
    package var headers: [(name: String, value: String)]
    /// The body of a POST; nil for a GET.
    package var body: [UInt8]?

    package init(url: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil) {
        self.url = url
        self.headers = headers
        self.body = body
    }
}

/// The answer to an ``HTTPSRequest``.
package struct HTTPSResponse: Equatable, Sendable {
    /// The status code (RFC 9110 §15).
    package var status: Int
    /// Header fields in the order in which they came.
    package var headers: [HTTPSHeader]
    package var body: [UInt8]

    /// The value of a header field, whatever the case of its name; of the first where there are several.
    package func header(_ name: String) -> String? {
        self.headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}

/// One header field (RFC 9110 §5).
package struct HTTPSHeader: Equatable, Sendable {
    package var name: String
    package var value: String
}

/// A request that got no answer, or one that cannot be used.
package struct HTTPSError: Error, Equatable, CustomStringConvertible, Sendable {
    /// The reason, in libcurl's words.
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}
