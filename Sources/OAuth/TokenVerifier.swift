import HTTPS

/// Decides whose a bearer token is (RFC 6750, RFC 7628).
///
/// The unverified `iss` only selects the issuer's configuration. A token of another issuer is
/// refused without a request.
package final class TokenVerifier: Sendable {
    /// The longest token in octets.
    package static let maximumTokenOctets = 16 * 1_024

    private let verifiers: [ExactText: SignatureVerifier]
    private let introspector: Introspector?
    private let clients: IssuerClients?

    /// A verifier that sends its requests with the system's libcurl.
    /// - Throws: ``TokenIssuerError`` for an error in the configuration.
    package convenience init(
        issuers: [TokenIssuer],
        now: @escaping @Sendable () -> Int64
    ) throws(TokenIssuerError) {
        let clients = IssuerClients(issuers)
        try self.init(issuers: issuers, now: now, clients: clients) {
            request,
            issuer throws(HTTPSError) in
            try await clients.send(request, to: issuer)
        }
    }

    /// A verifier with a transport of its own.
    /// - Parameters:
    ///   - now: the time in seconds since 1970.
    ///   - transport: sends a request to a server of an issuer and follows no redirection.
    /// - Throws: ``TokenIssuerError`` for an error in the configuration.
    package convenience init(
        issuers: [TokenIssuer],
        now: @escaping @Sendable () -> Int64,
        transport: @escaping TokenTransport
    ) throws(TokenIssuerError) {
        try self.init(issuers: issuers, now: now, clients: nil, transport: transport)
    }

    private init(
        issuers: [TokenIssuer],
        now: @escaping @Sendable () -> Int64,
        clients: IssuerClients?,
        transport: @escaping TokenTransport
    ) throws(TokenIssuerError) {
        try TokenIssuer.check(issuers)
        var verifiers: [ExactText: SignatureVerifier] = [:]
        var introspector: Introspector?
        for issuer in issuers {
            let connection = IssuerConnection(issuer: issuer, transport: transport)
            switch issuer.verification {
            case .signature(let keys):
                verifiers[ExactText(issuer.issuer)] = SignatureVerifier(
                    connection: connection,
                    keys: keys,
                    now: now
                )
            case .introspection(let introspection):
                introspector = Introspector(
                    connection: connection,
                    introspection: introspection,
                    now: now
                )
            }
        }
        self.verifiers = verifiers
        self.introspector = introspector
        self.clients = clients
    }

    /// Verifies a token as a client sent it.
    ///
    /// It may wait for requests to the issuer: at most about 40 seconds with the system's libcurl.
    /// The verification of a signature takes up to some milliseconds on the caller's executor.
    package func verify(_ token: [UInt8]) async -> TokenVerdict {
        guard !token.isEmpty, token.count <= Self.maximumTokenOctets else {
            return .refused(.tooLong)
        }
        guard let jws = CompactJWS(token) else {
            return await self.introspected(token, otherwise: .malformed)
        }
        // A token without a readable issuer is as opaque as one that is no JSON Web Token.
        guard let name = jws.claims["iss"]?.string else {
            return await self.introspected(token, otherwise: .unknownIssuer)
        }
        if let introspector = self.introspector, name == ExactText(introspector.issuer.issuer) {
            return await introspector.verdict(on: token)
        }
        // Never introspect it: one issuer must not see the tokens of another.
        guard let verifier = self.verifiers[name] else { return .refused(.unknownIssuer) }
        do throws(TokenFailure) {
            return .verified(try await verifier.token(jws))
        } catch {
            return error.verdict
        }
    }

    /// The issuer's word on a token that does not name its issuer.
    /// - Parameter refusal: the refusal if no issuer has introspection.
    private func introspected(
        _ token: [UInt8],
        otherwise refusal: TokenRefusal
    ) async -> TokenVerdict {
        // Octets that no bearer token has (RFC 6750 §2.1) are not worth a request.
        guard let introspector = self.introspector,
            token.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return .refused(refusal) }
        return await introspector.verdict(on: token)
    }

    /// Aborts the requests in flight and returns at once; later requests fail.
    package func shutDown() {
        self.clients?.shutDown()
    }

    /// Waits, after ``shutDown()``, until every request is answered.
    package func requestsEnded() async {
        await self.clients?.threadsEnded()
    }
}
