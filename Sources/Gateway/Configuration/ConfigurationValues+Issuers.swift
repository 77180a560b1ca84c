import Access
import Configuration
import Cryptography
import Foundation
import OAuth

/// The key `authentication.issuers`: one line for each issuer of access tokens.
extension ConfigurationValues {
    private static let issuersKey = "authentication.issuers"

    /// The settings of an issuer that occur once.
    private static let single: Set = [
        "claim", "jwks", "introspection", "client", "secretFile", "caFile", "unverifiedEmail",
    ]
    /// The settings of an issuer with several values, separated by commas.
    private static let lists: Set = ["audience", "scope", "algorithms", "domains"]

    /// The issuers, and the domains whose logins each one vouches for.
    func issuers() throws -> ([TokenIssuer], [String: Set<String>]) {
        let lines = self.reader.stringArray(forKey: "authentication.issuers") ?? []
        guard !lines.isEmpty else {
            throw self.issuerFault(
                "at least one issuer, for example \"https://login.kanzlei.example audience=mail "
                    + "claim=email\""
            )
        }
        let read = try lines.map(self.issuer)
        let issuers = read.map(\.issuer)
        do throws(TokenIssuerError) {
            try TokenIssuer.check(issuers)
        } catch {
            throw self.issuerFault("a usable list: \(error)")
        }
        let domains = Dictionary(
            uniqueKeysWithValues: read.compactMap { entry in
                entry.domains.isEmpty ? nil : (entry.issuer.issuer, entry.domains)
            }
        )
        guard issuers.count == 1 || domains.count == issuers.count else {
            throw self.issuerFault(
                "domains=DOMAIN for each of several issuers: one could log in the users of the other"
            )
        }
        return (issuers, domains)
    }

    /// `ISSUER audience=NAME claim=NAME [scope=…] [algorithms=…] [jwks=URL] …`
    private func issuer(
        _ line: String
    ) throws -> (issuer: TokenIssuer, domains: Set<String>) {
        let words = line.split(separator: " ").map(String.init)
        var values: [String: String] = [:]
        for word in words.dropFirst() {
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, Self.single.union(Self.lists).contains(parts[0]) else {
                let known = Self.single.union(Self.lists).sorted().joined(separator: ", ")
                throw self.issuerFault("NAME=VALUE behind the issuer, with one of \(known)")
            }
            guard values.updateValue(parts[1], forKey: parts[0]) == nil else {
                throw self.issuerFault("\(parts[0]) once for each issuer")
            }
        }
        func list(_ name: String) -> [String] {
            (values[name] ?? "").split(separator: ",").map(String.init)
        }
        guard let name = words.first, let claim = values["claim"], !list("audience").isEmpty else {
            throw self.issuerFault("an issuer with audience=NAME and claim=NAME")
        }
        var issuer = TokenIssuer(issuer: name, audiences: list("audience"), loginClaim: claim)
        issuer.requiredScopes = list("scope")
        if values["algorithms"] != nil {
            let algorithms = list("algorithms").compactMap(SignatureAlgorithm.init)
            guard algorithms.count == list("algorithms").count else {
                let known = SignatureAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
                throw self.issuerFault("algorithms of \(known)")
            }
            issuer.algorithms = Set(algorithms)
        }
        switch values["unverifiedEmail"] {
        case nil, "refused": break
        case "trusted": issuer.trustsUnverifiedEmail = true
        default: throw self.issuerFault("unverifiedEmail=trusted or unverifiedEmail=refused")
        }
        issuer.caFile = try values["caFile"].map(self.resolved)
        issuer.verification = try self.verification(values)
        let domains = try list("domains").map { name in
            guard let address = Address("x@\(name)".utf8) else {
                throw self.issuerFault("domains of ASCII letters (xn--… for others)")
            }
            return address.domain
        }
        return (issuer, Set(domains))
    }

    /// By signature, or by introspection if the issuer has a client.
    private func verification(_ values: [String: String]) throws -> TokenIssuer.Verification {
        guard let client = values["client"] else {
            guard values["secretFile"] == nil, values["introspection"] == nil else {
                throw self.issuerFault("client=NAME beside secretFile and introspection")
            }
            return .signature(values["jwks"].map { .jwks(url: $0) } ?? .discovery)
        }
        guard let file = values["secretFile"] else {
            throw self.issuerFault("secretFile=FILE beside client")
        }
        guard values["jwks"] == nil, values["algorithms"] == nil else {
            throw self.issuerFault(
                "no jwks and no algorithms beside client: the issuer is asked about each token"
            )
        }
        let secret = try self.secret(Self.issuersKey, name: file)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        return .introspection(
            TokenIssuer.Introspection(
                url: values["introspection"],
                clientID: client,
                clientSecret: ClientSecret(secret)
            )
        )
    }

    private func issuerFault(_ allowed: String) -> ConfigurationError {
        self.wrong(Self.issuersKey, allowed: allowed)
    }
}
