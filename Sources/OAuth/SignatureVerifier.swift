import Cryptography

/// Verifies the signatures and claims of one issuer's tokens.
struct SignatureVerifier: Sendable {
    let issuer: TokenIssuer
    private let keys: IssuerDocument<KeySet>
    private let now: @Sendable () -> Int64

    init(
        connection: IssuerConnection,
        keys: TokenIssuer.Keys,
        now: @escaping @Sendable () -> Int64
    ) {
        self.issuer = connection.issuer
        self.now = now
        self.keys = IssuerDocument(now: now) { () async throws(FetchFailure) in
            try await connection.keySet(keys)
        }
    }

    /// Verifies a token that names this issuer.
    func token(_ jws: CompactJWS) async throws(TokenFailure) -> VerifiedToken {
        let header: JWSHeader
        do throws(TokenRefusal) { header = try JWSHeader(jws.header) } catch {
            throw .refused(error)
        }
        guard self.issuer.algorithms.contains(header.algorithm) else {
            throw .refused(.algorithm)
        }
        try await self.verify(jws, header: header)
        do throws(TokenRefusal) {
            return try TokenClaims(claims: jws.claims, issuer: self.issuer).token(at: self.now())
        } catch {
            throw .refused(error)
        }
    }

    /// Verifies the signature with the issuer's keys. They are fetched again if the token's key is
    /// not among them.
    private func verify(_ jws: CompactJWS, header: JWSHeader) async throws(TokenFailure) {
        let current: IssuerDocument<KeySet>.Version
        do throws(FetchFailure) { current = try await self.keys.current() } catch {
            throw .unavailable(error.reason)
        }
        guard let failure = Self.failure(jws, header: header, keys: current.value) else { return }
        // The key of this name is known. Only the lack of it justifies a fetch.
        if let keyID = header.keyID, current.value.contains(keyID) { throw failure }
        let newer: IssuerDocument<KeySet>.Version?
        do throws(FetchFailure) { newer = try await self.keys.newer(than: current) } catch {
            throw .unavailable(error.reason)
        }
        guard let newer else { throw failure }
        if let failure = Self.failure(jws, header: header, keys: newer.value) { throw failure }
    }

    /// Verifies the signature with a set of keys.
    /// - Returns: nil if one of them has signed the token.
    private static func failure(
        _ jws: CompactJWS,
        header: JWSHeader,
        keys: KeySet
    ) -> TokenFailure? {
        if let keyID = header.keyID, !keys.contains(keyID) { return .refused(.unknownKey) }
        let candidates = keys.candidates(for: header)
        guard !candidates.isEmpty else { return .refused(.unfitKey) }
        do throws(CryptographyError) {
            for key in candidates {
                let isValid = try key.isValid(
                    jws.signature,
                    of: jws.signedOctets,
                    algorithm: header.algorithm
                )
                if isValid { return nil }
            }
            return .refused(.signature)
        } catch {
            return .unavailable("libcrypto lacks memory or \(header.algorithm.rawValue)")
        }
    }
}
