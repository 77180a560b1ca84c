import Access
import Foundation
import SASL
import Store

/// The users, accounts, groups and grants of the demo.
extension DemoOffice {
    /// Fills the gateway's store.
    /// - Parameter authority: the PEM file of the authority that signed the servers' certificates.
    func fillStore(_ authority: URL) throws {
        let store = try PermissionStore(
            path: self.gateway.appendingPathComponent("gatepost.sqlite").path
        )
        let masterKey = try MasterKey(file: self.gateway.appendingPathComponent("master.key").path)
        for user in Self.people {
            try store.addUser(NewUser(user, password: Self.password(of: user)), actor: "demo")
        }
        for address in Self.people + [Self.info, Self.vertrieb] {
            var settings = AccountSettings()
            settings.kind = address == Self.vertrieb ? .exchange : .imap
            settings.owner = Self.people.contains(address) ? address : nil
            let port = address == Self.bob ? self.second.port : self.first.port
            settings.imap = Endpoint(host: "127.0.0.1", port: port, tls: .implicit)
            settings.smtp = Endpoint(
                host: "localhost",
                port: self.mta.implicitPort,
                tls: .implicit
            )
            settings.caFile = authority.path
            if address != Self.vertrieb {
                settings.password = Secret(Self.upstreamPassword(of: address))
            }
            try store.addAccount(address, settings: settings, masterKey: masterKey, actor: "demo")
        }
        try store.addGroup("Sekretariat", actor: "demo")
        try store.join([Self.anna], to: "Sekretariat", actor: "demo")
        try self.addGrants(store)
    }

    /// Anna reads Bob's Akten and sends on his behalf; the group Sekretariat edits the function
    /// mailbox.
    private func addGrants(_ store: PermissionStore) throws {
        try store.addGrant(
            GrantRequest(
                account: Self.bob,
                subject: Self.anna,
                rights: .view,
                send: .onBehalf,
                scope: .subtree(try PermissionStore.folder("Akten"))
            ),
            actor: "demo"
        )
        try store.addGrant(
            GrantRequest(
                account: Self.info,
                subject: "group:Sekretariat",
                rights: .edit,
                send: .as,
                scope: .account
            ),
            actor: "demo"
        )
    }
}
