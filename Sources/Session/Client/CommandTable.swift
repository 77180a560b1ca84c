import Access
import IMAP

/// A row of the command table: the properties of a command, and the function that executes it.
///
/// Every command that the parser accepts has a row. Any other command is answered `BAD` and reaches
/// no server. The rights that a command needs on a mailbox that it names are checked in the
/// function that executes it, beside the mailbox. A command on the selected mailbox needs at least
/// `l` and `r`, which the dispatcher checks.
struct CommandRow {
    /// How the command is executed.
    enum Action {
        /// By the session; the mailbox, if any, is named by the command.
        case session((inout ClientSession, TaggedCommand) -> Void)
        /// On the selected mailbox, with the user's rights there. Its server is ready.
        case selected((inout ClientSession, TaggedCommand, SelectedMailbox, Rights) -> Void)
    }

    var traits: CommandTraits
    var action: Action

    /// A command that does not operate on the selected mailbox.
    static func session(
        _ name: StaticText,
        in states: CommandTraits.States = .loggedIn,
        audit: AuditedCommand?,
        configure: (inout CommandTraits) -> Void = { _ in },
        action: @escaping (inout ClientSession, TaggedCommand) -> Void
    ) -> CommandRow {
        var traits = CommandTraits(name: name, states: states, audited: audit)
        configure(&traits)
        return CommandRow(traits: traits, action: .session(action))
    }

    /// A command that operates on the selected mailbox.
    static func selected(
        _ name: StaticText,
        inEmptyInbox: EmptyInboxAnswer,
        audit: AuditedCommand?,
        configure: (inout CommandTraits) -> Void = { _ in },
        action: @escaping (inout ClientSession, TaggedCommand, SelectedMailbox, Rights) -> Void
    ) -> CommandRow {
        var traits = CommandTraits(name: name, states: .selected, audited: audit?.onSelected)
        traits.inEmptyInbox = inEmptyInbox
        configure(&traits)
        traits.enablesModSeqs = traits.requiredCapabilities.contains("CONDSTORE")
        return CommandRow(traits: traits, action: .selected(action))
    }
}

extension Command {
    /// The command's row of the table.
    var row: CommandRow {
        switch self {
        case .capability: .session("CAPABILITY", in: .any, audit: nil) { $0.capability($1.tag) }
        case .noop:
            .session("NOOP", in: .any, audit: nil) {
                $0.inEmptyInbox = .completed
            } action: {
                $0.noop($1)
            }
        case .logout: .session("LOGOUT", in: .any, audit: nil) { $0.logout($1.tag) }
        case .id: .session("ID", in: .any, audit: nil) { $0.id($1.tag) }
        case .startTLS:
            .session("STARTTLS", in: .notAuthenticated, audit: nil) { $0.startTLS($1.tag) }
        case .login(let login):
            .session("LOGIN", in: .notAuthenticated, audit: nil) { $0.login($1.tag, login: login) }
        case .authenticate(let authenticate):
            .session("AUTHENTICATE", in: .notAuthenticated, audit: nil) {
                $0.authenticate($1.tag, authenticate: authenticate)
            }
        case .enable(let enable):
            .session("ENABLE", audit: nil) { $0.enable($1.tag, enable: enable) }
        case .namespace: .session("NAMESPACE", audit: nil) { $0.showNamespace($1.tag) }
        case .list(let list):
            .session("LIST", audit: nil) {
                $0.enablesModSeqs = list.returnsStatus?.contains(.highestModSeq) ?? false
            } action: {
                $0.list($1.tag, list: list)
            }
        case .lsub(let lsub): .session("LSUB", audit: nil) { $0.lsub($1.tag, lsub: lsub) }
        case .subscribe(let mailbox):
            .session("SUBSCRIBE", audit: nil) { $0.subscribe($1, mailbox: mailbox) }
        case .unsubscribe(let mailbox):
            .session("UNSUBSCRIBE", audit: nil) { $0.unsubscribe($1, mailbox: mailbox) }
        case .idle: .session("IDLE", audit: nil) { $0.idle($1) }
        case .notify(let notify):
            .session("NOTIFY", audit: nil) { $0.notify($1.tag, notify: notify) }
        case .select(let select):
            .session("SELECT", audit: .always("select", of: select.mailbox)) {
                $0.enablesModSeqs = select.condStore || select.resync != nil
            } action: {
                $0.select($1, select: select, readOnly: false)
            }
        case .examine(let select):
            .session("EXAMINE", audit: .always("examine", of: select.mailbox)) {
                $0.enablesModSeqs = select.condStore || select.resync != nil
            } action: {
                $0.select($1, select: select, readOnly: true)
            }
        case .status(let status):
            .session("STATUS", audit: .always("status", of: status.mailbox)) {
                $0.enablesModSeqs = status.items.contains(.highestModSeq)
                $0.expected = [.status]
                $0.isRepeatable = true
            } action: {
                $0.status($1, status: status)
            }
        case .create(let create):
            .session("CREATE", audit: .always("create", of: create.mailbox)) {
                $0.requiredCapabilities = create.requiredCapabilities
            } action: {
                $0.create($1, create: create)
            }
        case .delete(let mailbox):
            .session("DELETE", audit: .always("delete", of: mailbox)) {
                $0.awaited = .work
            } action: {
                $0.delete($1, mailbox: mailbox)
            }
        case .rename(let rename):
            .session("RENAME", audit: .always("rename", of: rename.from, rename.to)) {
                $0.awaited = .work
            } action: {
                $0.rename($1, rename: rename)
            }
        case .myRights(let mailbox):
            .session("MYRIGHTS", audit: .refused("myrights", of: mailbox)) {
                $0.myRights($1, mailbox: mailbox)
            }
        case .getACL(let mailbox):
            .session("GETACL", audit: .refused("getacl", of: mailbox)) {
                $0.getACL($1, mailbox: mailbox)
            }
        case .setACL(let setACL):
            .session("SETACL", audit: .refused("setacl", of: setACL.mailbox)) {
                $0.setACL($1, setACL: setACL)
            }
        case .deleteACL(let deleteACL):
            .session("DELETEACL", audit: .refused("deleteacl", of: deleteACL.mailbox)) {
                $0.deleteACL($1, deleteACL: deleteACL)
            }
        case .listRights(let listRights):
            .session("LISTRIGHTS", audit: .refused("listrights", of: listRights.mailbox)) {
                $0.listRights($1, listRights: listRights)
            }
        case .getQuota(let root):
            .session("GETQUOTA", audit: nil) {
                $0.requiredCapabilities = ["QUOTA"]
                $0.expected = [.quota, .quotaRoot]
            } action: {
                $0.getQuota($1, root: root)
            }
        case .getQuotaRoot(let mailbox):
            .session("GETQUOTAROOT", audit: .refused("getquotaroot", of: mailbox)) {
                $0.requiredCapabilities = ["QUOTA"]
                $0.expected = [.quota, .quotaRoot]
                $0.isRepeatable = true
            } action: {
                $0.getQuotaRoot($1, mailbox: mailbox)
            }
        case .check:
            .selected("CHECK", inEmptyInbox: .completed, audit: nil) {
                $0.awaited = .work
            } action: { session, tagged, selected, _ in
                session.forward(tagged, to: selected.account) { $0.write(word: "CHECK") }
            }
        case .close:
            .selected("CLOSE", inEmptyInbox: .left, audit: .always("close")) {
                $0.awaited = .work
            } action: {
                $0.close($1, selected: $2, expunges: $3.contains(.expunge))
            }
        case .unselect:
            .selected("UNSELECT", inEmptyInbox: .left, audit: nil) { session, tagged, selected, _ in
                session.close(tagged, selected: selected, expunges: false)
            }
        case .expunge:
            .selected("EXPUNGE", inEmptyInbox: .notPermitted, audit: .always("expunge")) {
                $0.awaited = .work
            } action: {
                $0.expunge($1, set: nil, selected: $2, rights: $3)
            }
        case .uidExpunge(let set):
            .selected("EXPUNGE", inEmptyInbox: .notPermitted, audit: .always("expunge")) {
                $0.requiredCapabilities = ["UIDPLUS"]
                $0.awaited = .work
            } action: {
                $0.expunge($1, set: set, selected: $2, rights: $3)
            }
        case .fetch(let fetch):
            .selected(
                "FETCH",
                inEmptyInbox: .noMessage(isUID: fetch.isUID),
                audit: .refused("fetch")
            ) {
                $0.requiredCapabilities = fetch.requiredCapabilities
                $0.awaited = .work
                $0.usesMessageNumbers = !fetch.isUID
            } action: {
                $0.fetch($1, fetch: fetch, selected: $2, rights: $3)
            }
        case .store(let store):
            .selected("STORE", inEmptyInbox: .notPermitted, audit: .refused("store")) {
                $0.requiredCapabilities = store.requiredCapabilities
                $0.awaited = .work
                $0.usesMessageNumbers = !store.isUID
            } action: {
                $0.store($1, store: store, selected: $2, rights: $3)
            }
        case .search(let search):
            .selected(
                "SEARCH",
                inEmptyInbox: .noResults(
                    line: "* SEARCH\r\n",
                    returns: search.returns,
                    isUID: search.isUID
                ),
                audit: .refused("search")
            ) {
                $0.requiredCapabilities = search.requiredCapabilities
                $0.expected = [.search, .esearch]
                $0.awaited = .work
            } action: { session, tagged, selected, _ in
                session.search(tagged, search: search, selected: selected)
            }
        case .cancelUpdate(let tags):
            .selected("CANCELUPDATE", inEmptyInbox: .completed, audit: nil) {
                $0.requiredCapabilities = ["CONTEXT=SEARCH"]
            } action: { session, tagged, selected, _ in
                session.cancelUpdate(tagged, tags: tags, selected: selected)
            }
        case .sort(let sort):
            .selected(
                "SORT",
                inEmptyInbox: .noResults(
                    line: "* SORT\r\n",
                    returns: sort.returns,
                    isUID: sort.isUID
                ),
                audit: .refused("sort")
            ) {
                $0.requiredCapabilities = sort.requiredCapabilities
                $0.expected = [.sort, .search, .esearch]
                $0.awaited = .work
            } action: { session, tagged, selected, _ in
                session.sort(tagged, sort: sort, selected: selected)
            }
        case .thread(let thread):
            .selected(
                "THREAD",
                inEmptyInbox: .noResults(line: "* THREAD\r\n"),
                audit: .refused("thread")
            ) {
                $0.requiredCapabilities = thread.requiredCapabilities
                $0.expected = [.thread]
                $0.awaited = .work
            } action: { session, tagged, selected, _ in
                guard !thread.hasUnsupportedCharset else {
                    return session.finish(tagged.tag, text: .badCharset)
                }
                session.forward(tagged, to: selected.account) { thread.encode(into: &$0) }
            }
        case .copy(let copy):
            .selected(
                "COPY",
                inEmptyInbox: .noMessage(isUID: copy.isUID),
                audit: .always("copy", of: copy.mailbox)
            ) {
                $0.requiredCapabilities = copy.requiredCapabilities
                $0.awaited = .work
                $0.usesMessageNumbers = !copy.isUID
            } action: {
                $0.copy($1, copy: copy, selected: $2, rights: $3)
            }
        case .move(let copy):
            .selected("MOVE", inEmptyInbox: .notPermitted, audit: .always("move", of: copy.mailbox))
            {
                $0.requiredCapabilities = copy.requiredCapabilities
                $0.awaited = .work
                $0.usesMessageNumbers = !copy.isUID
            } action: {
                $0.copy($1, copy: copy, selected: $2, rights: $3)
            }
        }
    }
}
