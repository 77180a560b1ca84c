/// An error in the configuration of token issuers.
package struct TokenIssuerError: Error, Equatable, CustomStringConvertible, Sendable {
    /// The error and the remedy.
    package var description: String

    init(_ description: String) {
        self.description = description
    }
}

extension TokenIssuer {
    /// Checks a list of issuers.
    /// - Throws: ``TokenIssuerError`` with the first error.
    package static func check(_ issuers: [TokenIssuer]) throws(TokenIssuerError) {
        var names: Set<ExactText> = []
        var introspections = 0
        for issuer in issuers {
            try issuer.check()
            guard names.insert(ExactText(issuer.issuer)).inserted else {
                throw TokenIssuerError("the token issuer \(issuer.issuer) is configured twice")
            }
            if case .introspection = issuer.verification { introspections += 1 }
        }
        guard introspections <= 1 else {
            throw TokenIssuerError(
                "more than one token issuer has introspection: a token does not say which one to "
                    + "ask; verify the others' tokens by signature"
            )
        }
    }

    /// Checks the issuer by itself.
    private func check() throws(TokenIssuerError) {
        guard !self.issuer.isEmpty, self.issuer.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw TokenIssuerError(
                "a token issuer's name is empty, or has a space or a character beyond ASCII"
            )
        }
        guard !self.audiences.isEmpty, !self.audiences.contains("") else {
            throw TokenIssuerError(
                "the token issuer \(self.issuer) has no audience: its tokens for other services "
                    + "would open the mail"
            )
        }
        guard !self.loginClaim.isEmpty, !self.requiredScopes.contains(where: Self.isNoScope) else {
            throw TokenIssuerError(
                "the token issuer \(self.issuer) has an empty login claim, or a scope that is "
                    + "empty or has a space"
            )
        }
        switch self.verification {
        case .signature(let keys): try self.check(keys)
        case .introspection(let introspection): try self.check(introspection)
        }
    }

    private func check(_ keys: Keys) throws(TokenIssuerError) {
        guard !self.algorithms.isEmpty else {
            throw TokenIssuerError("the token issuer \(self.issuer) has no signature algorithm")
        }
        switch keys {
        case .discovery: try self.checkDiscovery()
        case .jwks(let url): try self.check(url: url)
        }
    }

    private func check(_ introspection: Introspection) throws(TokenIssuerError) {
        if let url = introspection.url {
            try self.check(url: url)
        } else {
            try self.checkDiscovery()
        }
        guard !introspection.clientID.isEmpty, !introspection.clientSecret.value.isEmpty else {
            throw TokenIssuerError(
                "the token issuer \(self.issuer) has introspection without a client ID or secret"
            )
        }
    }

    private func checkDiscovery() throws(TokenIssuerError) {
        guard HTTPSURL.isValid(self.issuer), !self.issuer.utf8.contains(UInt8(ascii: "?")) else {
            throw TokenIssuerError(
                "the token issuer \(self.issuer) is no https URL without a query: discovery needs "
                    + "one; configure the URL of its keys instead"
            )
        }
    }

    private func check(url: String) throws(TokenIssuerError) {
        guard HTTPSURL.isValid(url) else {
            throw TokenIssuerError(
                "the token issuer \(self.issuer) has a URL that is not https://host[:port]/path: "
                    + PrintableText.short(url)
            )
        }
    }

    /// Whether this is no scope token (RFC 6749 §3.3): printable ASCII without a space, a quotation
    /// mark and a backslash.
    private static func isNoScope(_ scope: String) -> Bool {
        scope.isEmpty
            || !scope.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }
    }
}

/// The check of URLs that an administrator or an issuer names.
enum HTTPSURL {
    /// The longest URL in octets.
    private static let maximumOctets = 2_000

    /// Whether this is an absolute `https` URL without user, password and fragment.
    static func isValid(_ url: String) -> Bool {
        let octets = url.utf8
        let scheme = "https://"
        // Spaces and control characters would change the meaning of a request line, and readers of
        // URLs disagree about backslashes.
        guard octets.count <= Self.maximumOctets, octets.starts(with: scheme.utf8),
            octets.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"\\\"<>^`{|}#".utf8.contains($0) })
        else { return false }
        let authority = octets.dropFirst(scheme.utf8.count).prefix {
            $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?")
        }
        return !authority.isEmpty
            && authority.allSatisfy { octet in
                (0x30...0x39).contains(octet) || (0x41...0x5A).contains(octet)
                    || (0x61...0x7A).contains(octet) || ".-_:[]".utf8.contains(octet)
            }
    }
}

/// A peer's words for the log.
enum PrintableText {
    /// The most characters of a peer's words.
    private static let maximumCount = 80

    /// The text in printable ASCII, cut to 80 characters.
    static func short(_ text: String) -> String {
        let characters = text.unicodeScalars.prefix(Self.maximumCount).map { scalar in
            scalar.value > 0x1F && scalar.value < 0x7F ? Character(scalar) : "?"
        }
        return String(characters) + (text.unicodeScalars.count > Self.maximumCount ? "..." : "")
    }
}
