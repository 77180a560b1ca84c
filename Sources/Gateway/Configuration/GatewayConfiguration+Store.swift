import Configuration
import Foundation
import Store

/// Where the store is.
extension GatewayConfiguration {
    /// The path of the store's file, or the first part of the paths of what a node keeps beside a
    /// database.
    package var store: String { self.storeLocation.path }

    /// The path of the control socket, in the folder of the store.
    package var controlSocket: String { self.besideStore("gatepost.sock") }

    /// The path of the file of kept logins, in the folder of the store.
    var keptLogins: String { self.besideStore("gatepost.logins") }

    /// Whether logins are kept in the folder of the master key: who copies that folder can try
    /// passwords quickly.
    var keepsLoginsBesideKey: Bool {
        let key = URL(fileURLWithPath: self.masterKey).deletingLastPathComponent()
        let logins = URL(fileURLWithPath: self.keptLogins).deletingLastPathComponent()
        return self.keepsLogins && key.standardizedFileURL == logins.standardizedFileURL
    }

    /// The path of a file in the folder of the store.
    private func besideStore(_ name: String) -> String {
        let folder = URL(fileURLWithPath: self.store).deletingLastPathComponent()
        return folder.appendingPathComponent(name).path
    }
}

/// The keys `store`, `node` and `state`.
extension ConfigurationValues {
    /// The location of the store. Without `node`, a node has the name of its machine; without
    /// `state`, it keeps its files in the folder of the configuration.
    func storeLocation() throws -> StoreLocation {
        let text = self.reader.string(forKey: "store") ?? ""
        guard StoreLocation.isURL(text) else {
            for key in ["node", "state"] where self.reader.string(forKey: ConfigKey(key)) != nil {
                throw self.wrong(key, allowed: "only together with the URL of a database in store:")
            }
            return .file(path: try self.path("store"))
        }
        try self.requirePrivate(text)
        let node = self.reader.string(forKey: "node") ?? ProcessInfo.processInfo.hostName
        let isName = node.utf8.allSatisfy { octet in
            octet.isASCIILetterOrDigit || "-._".utf8.contains(octet)
        }
        guard isName, (1...64).contains(node.utf8.count) else {
            throw self.wrong("node", allowed: "1 to 64 letters, digits, - . and _")
        }
        let state = try self.resolved(self.reader.string(forKey: "state") ?? ".")
        return .postgreSQL(
            PostgreSQLServer(
                url: text,
                node: node,
                state: URL(fileURLWithPath: state).standardizedFileURL.path
            )
        )
    }

    /// - Throws: ``ConfigurationError`` for a password in a file that everybody may read.
    private func requirePrivate(_ url: String) throws {
        let authority = url.drop { $0 != ":" }.dropFirst(3).prefix { $0 != "/" && $0 != "?" }
        let hasPassword =
            authority.contains("@") && authority.prefix { $0 != "@" }.contains(":")
            || url.contains("password=")
        let attributes = try? FileManager.default.attributesOfItem(atPath: self.file)
        let mode = (attributes?[.posixPermissions] as? NSNumber)?.intValue ?? 0
        guard hasPassword, mode & 0o004 != 0 else { return }
        throw self.wrong(
            "store",
            allowed:
                "the URL has a password and everybody may read this file: chmod o= \(self.file), or "
                + "put the password into a file and name it with passfile="
        )
    }
}
