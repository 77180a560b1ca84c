import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The accounts that the user sees, and the capabilities that are announced.
extension ClientSession {
    /// Builds the namespace from the accounts that the user may see now. The personal account comes
    /// first. Under `LOGIN/ACCOUNT` only the named account is visible.
    mutating func refreshNamespace() {
        guard let user = self.user else {
            self.namespace = Namespace(views: [])
            return
        }
        var views: [Namespace.View] = []
        let visible = self.snapshot.accounts(visibleTo: user, at: self.now)
        let own = self.onlyAccount ?? self.snapshot.personalAccount(of: user)
        for account in visible {
            if account.id == own {
                views.insert(Namespace.View(account: account.id, prefix: []), at: 0)
            } else if self.onlyAccount == nil {
                let root = account.owner == nil ? Namespace.shared : Namespace.otherUsers
                let prefix = root + [Namespace.delimiter] + account.address.octets
                views.append(
                    Namespace.View(account: account.id, prefix: prefix + [Namespace.delimiter])
                )
            }
        }
        self.namespace = Namespace(views: views)
    }

    /// The capabilities that CAPABILITY announces in the present state.
    var capabilities: [String] {
        mutating get {
            guard self.user != nil else {
                return Capabilities.beforeLogin(
                    hasTLS: self.hasTLS,
                    methods: self.clientLogin.methods
                )
            }
            if let known = self.offeredCapabilities { return known }
            let offered = Capabilities.afterLogin(
                personal: self.namespace.personal.flatMap { self.profiles[$0] },
                among: self.namespace.views.compactMap { self.profiles[$0.account] }
            )
            self.offeredCapabilities = offered
            return offered
        }
    }

    /// ENABLE (RFC 5161 §3.1) accepts announced capabilities that ENABLE has a meaning for, and
    /// ignores all others.
    mutating func enable(_ tag: ByteBuffer, enable: Enable) {
        let shown = Set(self.capabilities)
        var newly: [String] = []
        for name in enable.capabilities where Capabilities.enableable.contains(name) {
            guard shown.contains(name), !newly.contains(name) else { continue }
            newly.append(name)
            self.enabled.insert(name)
            // QRESYNC includes CONDSTORE (RFC 7162 §3.2.3).
            if name == "QRESYNC" { self.enabled.insert("CONDSTORE") }
        }
        self.emit(Reply.enabled(newly))
        self.finish(tag, text: .completed("ENABLE"))
    }

    /// NAMESPACE (RFC 9051 §6.3.10). `Other Users` and `Shared` are announced only if the user sees
    /// an account below.
    mutating func showNamespace(_ tag: ByteBuffer) {
        let views = self.namespace.views
        let hasOthers = views.contains { $0.prefix.starts(with: Namespace.otherUsers) }
        let hasShared = views.contains { $0.prefix.starts(with: Namespace.shared) }
        self.emit(
            Reply.namespace(
                personal: self.namespace.personal == nil ? [] : [[]],
                others: hasOthers ? [Namespace.otherUsers + [Namespace.delimiter]] : [],
                shared: hasShared ? [Namespace.shared + [Namespace.delimiter]] : [],
                delimiter: Namespace.delimiter
            )
        )
        self.finish(tag, text: .completed("NAMESPACE"))
    }
}
