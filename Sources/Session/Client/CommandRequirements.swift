import IMAP

/// One row of the table of commands: when a command may be given, and what its server must offer.
///
/// Every command that the parser knows has a row; a command without one does not parse, is
/// answered `BAD` and reaches no server. The rights that a command needs stand in the function
/// that carries it out, beside the mailbox they are needed on.
struct CommandRequirements: Equatable {
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
    var requiredCapabilities: [String] = []

    init(_ states: States, requiredCapabilities: [String] = []) {
        self.states = states
        self.requiredCapabilities = requiredCapabilities
    }
}

extension Command {
    /// The command's row of the table.
    var requirements: CommandRequirements {
        switch self {
        case .capability, .noop, .logout, .id:
            CommandRequirements(.any)
        case .startTLS, .login, .authenticate:
            CommandRequirements(.notAuthenticated)
        case .enable, .namespace, .list, .lsub, .subscribe, .unsubscribe, .idle, .notify:
            CommandRequirements(.loggedIn)
        case .select, .examine, .status:
            CommandRequirements(.loggedIn)
        case .create(let create):
            CommandRequirements(.loggedIn, requiredCapabilities: create.requiredCapabilities)
        case .delete, .rename:
            CommandRequirements(.loggedIn)
        case .myRights, .getACL, .setACL, .deleteACL, .listRights:
            CommandRequirements(.loggedIn)
        case .getQuota, .getQuotaRoot:
            CommandRequirements(.loggedIn, requiredCapabilities: ["QUOTA"])
        case .check, .close, .unselect, .expunge:
            CommandRequirements(.selected)
        case .uidExpunge:
            CommandRequirements(.selected, requiredCapabilities: ["UIDPLUS"])
        case .fetch(let fetch):
            CommandRequirements(.selected, requiredCapabilities: fetch.requiredCapabilities)
        case .store(let store):
            CommandRequirements(.selected, requiredCapabilities: store.requiredCapabilities)
        case .search(let search):
            CommandRequirements(.selected, requiredCapabilities: search.requiredCapabilities)
        case .cancelUpdate:
            CommandRequirements(.selected, requiredCapabilities: ["CONTEXT=SEARCH"])
        case .sort(let sort):
            CommandRequirements(.selected, requiredCapabilities: sort.requiredCapabilities)
        case .thread(let thread):
            CommandRequirements(.selected, requiredCapabilities: thread.requiredCapabilities)
        case .copy(let copy), .move(let copy):
            CommandRequirements(.selected, requiredCapabilities: copy.requiredCapabilities)
        }
    }
}
