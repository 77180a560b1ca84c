import IMAP

/// One row of the table of commands: when a command may be given, and what its server must offer.
///
/// Every command that the parser knows has a row; a command without one does not parse, is
/// answered `BAD` and reaches no server. The rights that a command needs stand in the function
/// that carries it out, beside the mailbox they are needed on.
struct Rule: Equatable {
    /// The states of a client's connection (RFC 9051 §3).
    struct States: OptionSet {
        let rawValue: UInt8

        static let notAuthenticated = States(rawValue: 1)
        static let authenticated = States(rawValue: 2)
        static let selected = States(rawValue: 4)

        static let any: States = [.notAuthenticated, .authenticated, .selected]
        static let loggedIn: States = [.authenticated, .selected]
    }

    var states: States
    /// Capabilities that the server of the mailbox must have; those without which the gateway carries out
    /// the command in another way are not among them.
    var needs: [String] = []

    init(_ states: States, needs: [String] = []) {
        self.states = states
        self.needs = needs
    }
}

extension Command {
    /// The command's row of the table.
    var rule: Rule {
        switch self {
        case .capability, .noop, .logout, .id:
            Rule(.any)
        case .startTLS, .login, .authenticate:
            Rule(.notAuthenticated)
        case .enable, .namespace, .list, .lsub, .subscribe, .unsubscribe, .idle, .notify:
            Rule(.loggedIn)
        case .select, .examine, .status:
            Rule(.loggedIn)
        case .create(let create):
            Rule(.loggedIn, needs: create.needs)
        case .delete, .rename:
            Rule(.loggedIn)
        case .myRights, .getACL, .setACL, .deleteACL, .listRights:
            Rule(.loggedIn)
        case .getQuota, .getQuotaRoot:
            Rule(.loggedIn, needs: ["QUOTA"])
        case .check, .close, .unselect, .expunge:
            Rule(.selected)
        case .uidExpunge:
            Rule(.selected, needs: ["UIDPLUS"])
        case .fetch(let fetch):
            Rule(.selected, needs: fetch.needs)
        case .store(let store):
            Rule(.selected, needs: store.needs)
        case .search(let search):
            Rule(.selected, needs: search.needs)
        case .cancelUpdate:
            Rule(.selected, needs: ["CONTEXT=SEARCH"])
        case .sort(let sort):
            Rule(.selected, needs: sort.needs)
        case .thread(let thread):
            Rule(.selected, needs: thread.needs)
        case .copy(let copy), .move(let copy):
            Rule(.selected, needs: copy.needs)
        }
    }
}
