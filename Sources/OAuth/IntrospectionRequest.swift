import Foundation
import HTTPS

/// The request to an introspection endpoint (RFC 7662 §2.1).
struct IntrospectionRequest: Sendable {
    private let connection: IssuerConnection
    private let introspection: TokenIssuer.Introspection
    /// The URL in the discovery document.
    private let endpoint: IssuerDocument<String>

    init(
        connection: IssuerConnection,
        introspection: TokenIssuer.Introspection,
        now: @escaping @Sendable () -> Int64
    ) {
        self.connection = connection
        self.introspection = introspection
        self.endpoint = IssuerDocument(now: now) { () async throws(FetchFailure) in
            (try await connection.endpoint("introspection_endpoint"), maxAge: nil)
        }
    }

    /// The response about a token. Its `active` is a Boolean.
    func response(about token: [UInt8]) async throws(FetchFailure) -> JSONObject {
        let url: String =
            if let url = self.introspection.url { url } else {
                try await self.endpoint.current().value
            }
        let request = HTTPSRequest(
            url: url,
            headers: [
                ("Content-Type", "application/x-www-form-urlencoded"),
                ("Accept", "application/json"),
                ("Authorization", "Basic " + self.credentials),
            ],
            body: Array("token=".utf8) + Self.encoded(token)
                + Array("&token_type_hint=access_token".utf8)
        )
        let response = try await self.connection.object(request).object
        guard case .bool = response["active"] else {
            throw FetchFailure(
                reason: "\(PrintableText.short(url)) did not say whether the token is active"
            )
        }
        return response
    }

    /// The client ID and secret for Basic authentication, each encoded as in a form first (RFC 6749
    /// §2.3.1).
    private var credentials: String {
        let pair =
            Self.encoded(Array(self.introspection.clientID.utf8))
            + [UInt8(ascii: ":")]
            + Self.encoded(Array(self.introspection.clientSecret.value.utf8))
        return Data(pair).base64EncodedString()
    }

    /// Encodes octets as a value of a form.
    private static func encoded(_ octets: [UInt8]) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return octets.flatMap { octet -> [UInt8] in
            switch octet {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: [octet]
            case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): [octet]
            default: [UInt8(ascii: "%"), digits[Int(octet >> 4)], digits[Int(octet & 15)]]
            }
        }
    }
}
