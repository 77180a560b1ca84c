import Configuration
import Foundation
import LDAP
import SASL

/// The part `authentication.ldap`.
extension ConfigurationValues {
    /// The time for a login at all servers, in seconds: less than a client waits.
    private static let totalSeconds = 25

    /// Whether a directory is configured.
    var hasDirectory: Bool {
        self.reader.stringArray(forKey: "authentication.ldap.servers")?.isEmpty == false
    }

    func directory() throws -> DirectorySettings {
        let group = "authentication.ldap"
        let caFile = try self.reader.string(forKey: ConfigKey("\(group).caFile")).map(self.resolved)
        let names = self.reader.stringArray(forKey: ConfigKey("\(group).servers")) ?? []
        guard !names.isEmpty else {
            throw self.wrong(
                "\(group).servers",
                allowed: "at least one server, for example ldaps://directory.kanzlei.example"
            )
        }
        return DirectorySettings(
            servers: DirectoryServers(
                servers: try names.map { try self.directoryServer($0, caFile: caFile) },
                limits: DirectoryLimits(connectSeconds: 5, answerSeconds: 10),
                totalSeconds: Self.totalSeconds
            ),
            lookup: try self.directoryLookup(group),
            groupMinutes: try self.number("\(group).groupMinutes", range: 1...1_440) ?? 15
        )
    }

    /// A template must give another name to each login: otherwise the password of one person opens the
    /// mail of another, whose login has another domain.
    /// - Throws: ``ConfigurationError`` for `{user}` alone, unless the directory has one domain only.
    func requireDistinctNames(_ settings: AuthenticationSettings) throws {
        guard case .template(let template)? = settings.directory?.lookup else { return }
        let used = template.placeholders
        if used.contains(.login) || used.isSuperset(of: [.user, .domain]) { return }
        let domains = settings.domains.filter { $0.value.contains(.ldap) }
        guard used == [.user], !settings.sources.contains(.ldap), domains.count == 1 else {
            throw self.wrong(
                "authentication.ldap.bindAs",
                allowed: "a name with {login}, or with {user} and {domain}. With {user} alone, "
                    + "ldap must be the source of exactly one domain in authentication.domains"
            )
        }
    }

    /// `ldaps://HOST[:PORT]`, or `ldap://HOST[:PORT]` for StartTLS.
    private func directoryServer(_ text: String, caFile: String?) throws -> DirectoryServer {
        let securities = ["ldaps": DirectoryServer.Security.ldaps, "ldap": .startTLS]
        guard let parts = URLComponents(string: text), let host = parts.host, !host.isEmpty,
            let security = parts.scheme.flatMap({ securities[$0] }),
            ["", "/"].contains(parts.path), parts.query == nil, parts.user == nil
        else {
            throw self.wrong(
                "authentication.ldap.servers",
                allowed: "ldaps://HOST, or ldap://HOST for StartTLS, each with :PORT if needed"
            )
        }
        return DirectoryServer(
            host: host,
            port: parts.port ?? (security == .ldaps ? 636 : 389),
            security: security,
            caFile: caFile
        )
    }

    /// `bindAs`, or `base` with the keys of the search.
    private func directoryLookup(_ group: String) throws -> DirectorySettings.Lookup {
        func text(_ key: String) -> String? {
            self.reader.string(forKey: ConfigKey("\(group).\(key)"))
        }
        let ofSearch = ["base", "filter", "account", "passwordFile", "groupBase"]
        if let name = text("bindAs") {
            if let surplus = ofSearch.first(where: { text($0) != nil }) {
                throw self.wrong(
                    "\(group).\(surplus)",
                    allowed: "none beside bindAs, with which the directory is not searched"
                )
            }
            let template = try self.template(name, key: "\(group).bindAs") {
                text throws(DirectoryError) in try DirectoryNameTemplate(text)
            }
            guard !template.placeholders.isEmpty else {
                throw self.wrong(
                    "\(group).bindAs",
                    allowed:
                        "a name with {user} or {login}: without one, every user has the same entry"
                )
            }
            return .template(template)
        }
        guard let base = text("base"), let filter = text("filter"), let account = text("account"),
            let file = text("passwordFile")
        else {
            throw self.wrong(group, allowed: "bindAs, or base, filter, account and passwordFile")
        }
        let template = try self.template(filter, key: "\(group).filter") {
            text throws(DirectoryError) in try DirectoryFilterTemplate(text)
        }
        guard !template.placeholders.isEmpty else {
            throw self.wrong(
                "\(group).filter",
                allowed: "a filter with {login} or {user}, for example (mail={login})"
            )
        }
        let password = try self.secret("\(group).passwordFile", name: file)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        guard !password.isEmpty, !account.isEmpty else {
            throw self.wrong(group, allowed: "an account with a password: neither may be empty")
        }
        return .search(
            DirectorySettings.Search(
                base: base,
                groupBase: text("groupBase") ?? base,
                filter: template,
                loginAttribute: text("loginAttribute") ?? "mail",
                account: DirectoryAccount(name: account, password: Secret(Array(password.utf8)))
            )
        )
    }

    /// Reads a template, and names its key in an error.
    private func template<Template>(
        _ text: String,
        key: String,
        read: (String) throws(DirectoryError) -> Template
    ) throws -> Template {
        do throws(DirectoryError) {
            return try read(text)
        } catch {
            throw self.wrong(key, allowed: "a valid text: \(error)")
        }
    }
}
