package import HTTPS

/// Sends a request to a server of an issuer.
package typealias TokenTransport =
    @Sendable (_ request: HTTPSRequest, _ issuer: TokenIssuer) async throws(HTTPSError)
    -> HTTPSResponse

/// The reason why a document of an issuer cannot be had, for the administrator.
struct FetchFailure: Error, Equatable {
    var reason: String
    /// Whether the server did not answer at all. It may need time; others must not wait for it.
    var isSilence = false
}

/// The requests to one issuer.
struct IssuerConnection: Sendable {
    /// The longest document of an issuer in octets.
    static let maximumOctets = 256 * 1_024

    let issuer: TokenIssuer
    let transport: TokenTransport

    /// Fetches a JSON object, or sends a form and reads the object in the response.
    func object(
        _ request: HTTPSRequest
    ) async throws(FetchFailure) -> (object: JSONObject, response: HTTPSResponse) {
        let response: HTTPSResponse
        do throws(HTTPSError) {
            response = try await self.transport(request, self.issuer)
        } catch {
            throw FetchFailure(
                reason: "\(Self.shown(request.url)) cannot be reached "
                    + "(\(PrintableText.short(error.description))): check firewall, proxy and "
                    + "authorities",
                isSilence: true
            )
        }
        guard response.status == 200 else {
            throw FetchFailure(reason: Self.reason(of: response.status, url: request.url))
        }
        guard response.body.count <= Self.maximumOctets else {
            throw FetchFailure(reason: "the answer of \(Self.shown(request.url)) is too long")
        }
        do throws(MalformedJSON) {
            return (try JSONParser.object(in: response.body), response)
        } catch {
            throw FetchFailure(
                reason: "\(Self.shown(request.url)) did not answer with a JSON object"
            )
        }
    }

    private static func reason(of status: Int, url: String) -> String {
        switch status {
        case 300..<400:
            "\(self.shown(url)) redirects (HTTP \(status)): configure the URL that it redirects to"
        case 401, 403:
            "\(self.shown(url)) refuses the gateway (HTTP \(status)): check its client ID and secret"
        default:
            "\(self.shown(url)) answered with HTTP \(status)"
        }
    }

    private static func shown(_ url: String) -> String { PrintableText.short(url) }

    // MARK: - Documents

    /// The discovery document (OpenID Connect Discovery 1.0 §4).
    func discovery() async throws(FetchFailure) -> JSONObject {
        // §4.1: a slash at the end of the issuer's path is removed.
        let base =
            self.issuer.issuer.hasSuffix("/")
            ? String(self.issuer.issuer.dropLast()) : self.issuer.issuer
        let url = base + "/.well-known/openid-configuration"
        let document = try await self.object(HTTPSRequest(url: url)).object
        // §4.3: else one issuer could name the keys of another.
        guard document["issuer"] == .string(ExactText(self.issuer.issuer)) else {
            let name = document["issuer"]?.string.map { PrintableText.short($0.text) } ?? "none"
            throw FetchFailure(
                reason: "\(Self.shown(url)) names the issuer \(name), not \(self.issuer.issuer)"
            )
        }
        return document
    }

    /// A URL in the discovery document.
    func endpoint(_ name: ExactText) async throws(FetchFailure) -> String {
        let document = try await self.discovery()
        guard let url = document[name]?.string?.text, HTTPSURL.isValid(url) else {
            throw FetchFailure(
                reason: "the discovery document of \(self.issuer.issuer) has no https URL "
                    + name.text
            )
        }
        return url
    }

    /// The issuer's keys, and the seconds for which the server lets them be kept.
    func keySet(_ keys: TokenIssuer.Keys) async throws(FetchFailure) -> (KeySet, maxAge: Int64?) {
        let url: String
        switch keys {
        case .discovery: url = try await self.endpoint("jwks_uri")
        case .jwks(let configured): url = configured
        }
        let (document, response) = try await self.object(HTTPSRequest(url: url))
        guard let set = KeySet(document) else {
            throw FetchFailure(
                reason: "\(Self.shown(url)) has no JWK set, or one of more than 100 keys"
            )
        }
        return (set, Self.maxAge(of: response))
    }

    /// The `max-age` of Cache-Control (RFC 9111 §5.2.2.1); 0 if the response must not be kept.
    static func maxAge(of response: HTTPSResponse) -> Int64? {
        var maxAge: Int64?
        for header in response.headers where header.name.lowercased() == "cache-control" {
            for directive in header.value.lowercased().split(separator: ",") {
                let words = directive.split(separator: "=", maxSplits: 1).map { word in
                    String(word.filter { $0 != " " && $0 != "\t" && $0 != "\"" })
                }
                if words == ["no-store"] || words == ["no-cache"] { return 0 }
                if words.count == 2, words[0] == "max-age", let seconds = Int64(words[1]) {
                    maxAge = min(maxAge ?? seconds, seconds)
                }
            }
        }
        return maxAge
    }
}
