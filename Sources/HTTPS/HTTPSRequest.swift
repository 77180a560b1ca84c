/// An HTTPS request (RFC 9110).
package struct HTTPSRequest: Sendable {
    /// An absolute `https` URL.
    package var url: String
    /// The header fields, sent in this order.
    package var headers: [(name: String, value: String)]
    /// The body of a POST request; nil for GET.
    package var body: [UInt8]?

    package init(url: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil) {
        self.url = url
        self.headers = headers
        self.body = body
    }
}

/// The response to an ``HTTPSRequest``.
package struct HTTPSResponse: Equatable, Sendable {
    /// The status code (RFC 9110 §15).
    package var status: Int
    /// The header fields in the order of their arrival.
    package var headers: [HTTPSHeader]
    package var body: [UInt8]

    /// The value of the first header field with a name; the case of letters does not matter.
    package func header(_ name: String) -> String? {
        self.headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}

/// A header field (RFC 9110 §5).
package struct HTTPSHeader: Equatable, Sendable {
    package var name: String
    package var value: String
}

/// The reason why a request has no usable response.
package struct HTTPSError: Error, Equatable, CustomStringConvertible, Sendable {
    /// The reason, mostly as libcurl states it.
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}
