import Access

/// The lists of FullAccess, Send As and Send on Behalf.
extension Resolution {
    /// Adds the entries of FullAccess or Send As.
    ///
    /// As in Windows, entries of the mailbox itself precede inherited ones, and denials precede
    /// grants of the same kind. An inherited entry never grants a right.
    mutating func addAccess(_ entries: [Document.AccessEntry], purpose: Purpose) {
        let right = purpose == .fullAccess ? "FullAccess" : "SendAs"
        var denials = Denials()
        var allowed: [String: String?] = [:]
        for entry in entries {
            let principal = entry.principal
            switch self.outcome(of: principal, purpose: purpose, isDenied: entry.isDenied) {
            case .nobody, .stranger, .everyone:
                continue
            case .unresolved(let why):
                if entry.isInherited { continue }
                self.unresolved(
                    principal,
                    right: entry.isDenied ? "Deny \(right)" : right,
                    why: why
                )
                if entry.isDenied { denials.hasUnknown = true }
            case .people(let logins, _) where entry.isDenied:
                if entry.isInherited {
                    denials.inherited.formUnion(logins)
                } else {
                    denials.own.formUnion(logins)
                }
            case .people(_, _) where entry.isInherited:
                self.notes.insert("\(principal.name) has \(right) by inheritance only: left out")
            case .people(let logins, let group):
                for login in logins where group == nil || allowed[login] == nil {
                    allowed[login] = .some(group)
                }
            }
        }
        denials.own.formUnion(denials.inherited.subtracting(allowed.keys))
        for (login, group) in allowed where !denials.own.contains(login) {
            // The unresolved principal may be this user under another name, or a group with this
            // user.
            guard !denials.hasUnknown else {
                self.notes.insert(
                    "\(right) of \(login) is left out: a denial names an unresolved principal, which may be "
                        + "the same user or a group: remove the denial in Exchange, or resolve it"
                )
                continue
            }
            self.imported.entries.append(
                ImportedPermissions.Entry(
                    login: login,
                    via: group,
                    rights: purpose == .fullAccess ? FolderRights.fullAccess.letters : "",
                    send: purpose == .sendAs ? "as" : "none"
                )
            )
        }
        for login in denials.own { self.deny(login, purpose: purpose) }
    }

    /// The principals that are denied a right.
    private struct Denials {
        /// The logins that the mailbox's own entries deny.
        var own: Set<String> = []
        /// The logins that inherited entries deny.
        var inherited: Set<String> = []
        /// Whether an unresolved principal is denied.
        var hasUnknown = false
    }

    /// Records a denial of one side.
    private mutating func deny(_ login: String, purpose: Purpose) {
        let isView = purpose == .fullAccess
        if let index = self.imported.denials.firstIndex(where: { $0.login == login }) {
            if isView {
                self.imported.denials[index].view = true
            } else {
                self.imported.denials[index].send = true
            }
        } else {
            self.imported.denials.append(.init(login: login, view: isView, send: !isView))
        }
    }

    /// Adds the delegates of Send on Behalf.
    mutating func addDelegates(_ delegates: [Document.Principal]) {
        for principal in delegates {
            switch self.outcome(of: principal, purpose: .sendOnBehalf, isDenied: false) {
            case .nobody, .stranger, .everyone:
                continue
            case .unresolved(let why):
                self.unresolved(principal, right: "SendOnBehalf", why: why)
            case .people(let logins, let group):
                for login in logins {
                    self.imported.entries.append(
                        ImportedPermissions.Entry(login: login, via: group, send: "on-behalf")
                    )
                }
            }
        }
    }
}
