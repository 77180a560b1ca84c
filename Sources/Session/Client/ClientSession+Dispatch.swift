import Access
import IMAP

import struct NIOCore.ByteBuffer

extension ClientSession {
    private var state: CommandRequirements.States {
        guard self.user != nil else { return .notAuthenticated }
        return self.selected == nil && !self.isEmptyInboxSelected ? .authenticated : .selected
    }

    /// Checks a command against the table, then carries it out.
    mutating func dispatch(_ tag: ByteBuffer, command: Command) {
        let requirements = command.requirements
        guard requirements.states.contains(self.state) else {
            return self.finish(tag, text: .badState)
        }
        if self.user == nil {
            self.dispatchBeforeLogin(tag, command: command)
        } else {
            self.auditBegan(command)
            self.commandEnablesModSeqs = command.enablesModSeqs
            if self.commandEnablesModSeqs { self.enabled.insert("CONDSTORE") }
            if self.answerForEmptyInbox(tag, command: command) { return }
            self.dispatchAfterLogin(
                tag,
                command: command,
                requiring: requirements.requiredCapabilities
            )
        }
    }

    private mutating func dispatchBeforeLogin(_ tag: ByteBuffer, command: Command) {
        switch command {
        case .capability:
            self.capability(tag)
        case .noop:
            self.finish(tag, text: .completed("NOOP"))
        case .id:
            self.id(tag)
        case .logout:
            self.logout(tag)
        case .startTLS:
            self.startTLS(tag)
        case .login(let login):
            self.login(tag, login: login)
        case .authenticate(let authenticate):
            self.authenticate(tag, authenticate: authenticate)
        default:
            self.finish(tag, text: .badState)
        }
    }

    private mutating func dispatchAfterLogin(
        _ tag: ByteBuffer,
        command: Command,
        requiring capabilities: [String]
    ) {
        switch command {
        case .capability: self.capability(tag)
        case .id: self.id(tag)
        case .logout: self.logout(tag)
        case .enable(let enable): self.enable(tag, enable: enable)
        case .namespace: self.showNamespace(tag)
        case .list(let list): self.list(tag, list: list)
        case .lsub(let lsub): self.lsub(tag, lsub: lsub)
        case .subscribe(let mailbox): self.subscribe(tag, mailbox: mailbox, isSubscribed: true)
        case .unsubscribe(let mailbox): self.subscribe(tag, mailbox: mailbox, isSubscribed: false)
        case .idle: self.idle(tag)
        case .notify(let notify): self.notify(tag, notify: notify)
        case .select(let select):
            self.select(tag, select: select, command: command, readOnly: false)
        case .examine(let select):
            self.select(tag, select: select, command: command, readOnly: true)
        case .status(let status): self.status(tag, status: status, command: command)
        case .create(let create):
            self.create(tag, create: create, command: command, requiring: capabilities)
        case .delete(let mailbox): self.delete(tag, mailbox: mailbox, command: command)
        case .rename(let rename): self.rename(tag, rename: rename, command: command)
        case .myRights(let mailbox): self.myRights(tag, mailbox: mailbox)
        case .getACL(let mailbox): self.getACL(tag, mailbox: mailbox)
        case .setACL(let setACL): self.setACL(tag, setACL: setACL)
        case .deleteACL(let deleteACL): self.deleteACL(tag, deleteACL: deleteACL)
        case .listRights(let listRights): self.listRights(tag, listRights: listRights)
        case .getQuota(let root):
            self.getQuota(tag, root: root, command: command, requiring: capabilities)
        case .getQuotaRoot(let mailbox):
            self.getQuotaRoot(tag, mailbox: mailbox, command: command, requiring: capabilities)
        case .noop, .check, .close, .unselect, .expunge, .uidExpunge, .fetch, .store, .search,
            .cancelUpdate, .sort, .thread, .copy, .move:
            self.dispatchOnSelected(tag, command: command, requiring: capabilities)
        case .startTLS, .login, .authenticate:
            self.finish(tag, text: .badState)
        }
    }

    /// The commands that act on the selected mailbox: its rights are looked at again each time.
    private mutating func dispatchOnSelected(
        _ tag: ByteBuffer,
        command: Command,
        requiring capabilities: [String]
    ) {
        guard let selected = self.selected else {
            return self.finish(tag, text: .completed("NOOP"))
        }
        let rights = self.access(to: selected.account).rights(in: selected.folder)
        guard rights.contains([.lookup, .read]) else {
            self.leaveSelected(announce: true)
            return self.finish(tag, text: .notPermitted)
        }
        guard self.prepare(selected.account, tag: tag, command: command, requiring: capabilities)
        else {
            return
        }
        guard !self.hasExpungedMeanwhile || !command.usesMessageNumbers else {
            return self.finish(tag, text: .expungedMeanwhile)
        }
        switch command {
        case .noop: self.forward(tag, account: selected.account, name: "NOOP")
        case .check: self.forward(tag, account: selected.account, name: "CHECK")
        case .close:
            self.close(tag, selected: selected, name: "CLOSE", expunges: rights.contains(.expunge))
        case .unselect: self.close(tag, selected: selected, name: "UNSELECT", expunges: false)
        case .expunge: self.expunge(tag, selected: selected, rights: rights, set: nil)
        case .uidExpunge(let set): self.expunge(tag, selected: selected, rights: rights, set: set)
        case .fetch(let fetch): self.fetch(tag, fetch: fetch, selected: selected, rights: rights)
        case .store(let store): self.store(tag, store: store, selected: selected, rights: rights)
        case .search(let search): self.search(tag, search: search, selected: selected)
        case .cancelUpdate(let tags): self.cancelUpdate(tag, tags: tags, selected: selected)
        case .sort(let sort): self.sort(tag, sort: sort, selected: selected)
        case .thread(let thread): self.thread(tag, thread: thread, selected: selected)
        case .copy(let copy):
            self.copy(
                tag,
                copy: copy,
                command: command,
                selected: selected,
                rights: rights,
                moves: false
            )
        case .move(let copy):
            self.copy(
                tag,
                copy: copy,
                command: command,
                selected: selected,
                rights: rights,
                moves: true
            )
        default: self.finish(tag, text: .badState)
        }
    }
}

extension Command {
    /// Whether the command names messages by their numbers, which an EXPUNGE changes.
    fileprivate var usesMessageNumbers: Bool {
        switch self {
        case .fetch(let fetch): !fetch.isUID
        case .store(let store): !store.isUID
        case .copy(let copy), .move(let copy): !copy.isUID
        default: false
        }
    }
}
