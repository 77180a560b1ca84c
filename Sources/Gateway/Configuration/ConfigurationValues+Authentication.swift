import Access
import Configuration

/// The part `authentication`.
extension ConfigurationValues {
    func authentication() throws -> AuthenticationSettings {
        var settings = AuthenticationSettings()
        if let names = self.reader.stringArray(forKey: "authentication.sources") {
            settings.sources = try self.sources(names, key: "authentication.sources")
        }
        for line in self.reader.stringArray(forKey: "authentication.domains") ?? [] {
            let (domain, sources) = try self.domain(line)
            guard settings.domains.updateValue(sources, forKey: domain) == nil else {
                throw self.wrong("authentication.domains", allowed: "each domain once")
            }
        }
        settings.learns = try self.isOn("authentication.learn") ?? settings.learns
        guard !settings.learns || settings.uses(.upstream) else {
            throw self.wrong(
                "authentication.learn",
                allowed:
                    "off, unless upstream is one of the sources: other sources tell no password "
                    + "of a mailbox"
            )
        }
        // Groups may come from a directory that checks no password.
        if settings.uses(.ldap) || self.hasDirectory {
            settings.directory = try self.directory()
            try self.requireDistinctNames(settings)
        }
        if settings.uses(.oauth) {
            (settings.issuers, settings.issuerDomains) = try self.issuers()
        }
        return settings
    }

    /// One entry of `authentication.domains`: a domain and its sources, with spaces between them.
    private func domain(_ line: String) throws -> (String, [AuthenticationSourceName]) {
        let key = "authentication.domains"
        let words = line.split(separator: " ").map(String.init)
        guard words.count > 1, let address = Address("x@\(words[0])".utf8) else {
            throw self.wrong(
                key,
                allowed: "a domain and its sources in each entry, for example \"kanzlei.example "
                    + "upstream\"; a domain with other letters than ASCII as A-labels (xn--…)"
            )
        }
        let domain = String(address.description.dropFirst(2))
        return (domain, try self.sources(Array(words.dropFirst()), key: key))
    }

    /// An ordered list of sources without repetition.
    private func sources(_ names: [String], key: String) throws -> [AuthenticationSourceName] {
        let sources = names.compactMap(AuthenticationSourceName.init)
        let known = AuthenticationSourceName.allCases.map(\.rawValue).joined(separator: ", ")
        guard !names.isEmpty, sources.count == names.count, Set(sources).count == sources.count
        else { throw self.wrong(key, allowed: "at least one of \(known), each once") }
        return sources
    }
}
