import struct NIOCore.ByteBuffer

/// `NOTIFY SET STATUS (selected (MessageNew (UID) MessageExpunge)) (personal NONE)` and
/// `NOTIFY NONE` (RFC 5465 §3).
package struct Notify: Equatable, Sendable {
    /// Whether the counts of all mailboxes are requested at once (SET STATUS).
    package var sendsStatus = false
    /// The event groups; empty for NOTIFY NONE.
    package var groups: [NotifyGroup] = []

    package init(sendsStatus: Bool = false, groups: [NotifyGroup] = []) {
        self.sendsStatus = sendsStatus
        self.groups = groups
    }

    /// The capabilities that the servers need.
    package var requiredCapabilities: [String] {
        Set(self.groups.flatMap { $0.attributes.compactMap(\.requiredCapability) } + ["NOTIFY"])
            .sorted()
    }

    package func encode(into encoder: inout CommandEncoder) {
        guard !self.groups.isEmpty else { return encoder.write(word: "NOTIFY NONE") }
        encoder.write(word: self.sendsStatus ? "NOTIFY SET STATUS" : "NOTIFY SET")
        for group in self.groups { group.encode(into: &encoder) }
    }
}

/// A set of mailboxes and the events that are reported for them (RFC 5465 §6).
package struct NotifyGroup: Equatable, Sendable {
    /// The mailboxes of a group (`filter-mailboxes`).
    package enum Filter: Equatable, Sendable {
        case selected
        case selectedDelayed
        case inboxes
        case personal
        case subscribed
        case subtree([ClientMailbox])
        case mailboxes([ClientMailbox])

        /// Whether the filter means the selected mailbox.
        package var isSelected: Bool { self == .selected || self == .selectedDelayed }

        /// The mailboxes that the client named.
        package var named: [ClientMailbox] {
            switch self {
            case .subtree(let mailboxes), .mailboxes(let mailboxes): mailboxes
            case .selected, .selectedDelayed, .inboxes, .personal, .subscribed: []
            }
        }
    }

    /// An event (RFC 5465 §5).
    package enum Event: Equatable, Sendable {
        case messageNew
        case messageExpunge
        case flagChange
        case mailboxName
        case subscriptionChange
        /// An event that the gateway does not support.
        case unsupported

        /// Whether the event concerns messages.
        var isOfMessage: Bool {
            self == .messageNew || self == .messageExpunge || self == .flagChange
        }
    }

    /// The mailboxes.
    package var filter: Filter
    /// The events; empty for NONE.
    package var events: [Event]
    /// The items that are sent with a new message, in forms that do not set `\Seen`.
    package var attributes: [FetchAttribute] = []

    func encode(into encoder: inout CommandEncoder) {
        encoder.open()
        switch self.filter {
        case .selected: encoder.write(word: "SELECTED")
        case .selectedDelayed: encoder.write(word: "SELECTED-DELAYED")
        case .inboxes: encoder.write(word: "INBOXES")
        case .personal: encoder.write(word: "PERSONAL")
        case .subscribed: encoder.write(word: "SUBSCRIBED")
        case .subtree(let mailboxes): encoder.write(word: "SUBTREE", mailboxes: mailboxes)
        case .mailboxes(let mailboxes): encoder.write(word: "MAILBOXES", mailboxes: mailboxes)
        }
        if self.events.isEmpty {
            encoder.write(word: "NONE")
        } else {
            encoder.open()
            for event in self.events { self.encode(event, into: &encoder) }
            encoder.close()
        }
        encoder.close()
    }

    private func encode(_ event: Event, into encoder: inout CommandEncoder) {
        switch event {
        case .messageNew:
            encoder.write(word: "MessageNew")
            guard !self.attributes.isEmpty else { return }
            encoder.write(attributes: self.attributes)
        case .messageExpunge: encoder.write(word: "MessageExpunge")
        case .flagChange: encoder.write(word: "FlagChange")
        case .mailboxName: encoder.write(word: "MailboxName")
        case .subscriptionChange: encoder.write(word: "SubscriptionChange")
        case .unsupported: break
        }
    }
}

extension CommandEncoder {
    fileprivate mutating func write(word: StaticString, mailboxes: [ClientMailbox]) {
        self.write(word: word)
        self.open()
        for mailbox in mailboxes { self.write(mailbox: mailbox.wire) }
        self.close()
    }

    mutating func write(attributes: [FetchAttribute]) {
        self.open()
        for attribute in attributes { attribute.encode(into: &self) }
        self.close()
    }
}

extension Cursor {
    /// The most groups of one NOTIFY: a client needs one for each kind of filter.
    private static let maximumGroups = 16
    /// The most mailboxes in all groups: a server watches each one, and a change of permissions
    /// checks each one again.
    private static let maximumMailboxes = 256
    /// The most octets of their names: a session keeps several forms of each while it watches.
    private static let maximumNameOctets = 64 * 1_024

    ///     notify = "NOTIFY" SP ("SET" [SP "STATUS"] SP event-groups / "NONE")
    mutating func notify() throws(SyntaxError) -> Notify {
        if self.take(word: "NONE") {
            try self.expectEndOfCommand()
            return Notify()
        }
        guard self.take(argumentsOf: "SET") else { throw self.error(.expected("SET")) }
        var notify = Notify(sendsStatus: self.take(argumentsOf: "STATUS"))
        repeat {
            guard notify.groups.count < Self.maximumGroups else {
                throw self.error(.commandTooLarge)
            }
            notify.groups.append(try self.notifyGroup())
        } while self.takeBlank()
        try self.expectEndOfCommand()
        let mailboxes = notify.groups.flatMap(\.filter.named)
        let octets = mailboxes.reduce(0) { $0 + $1.wire.readableBytes }
        guard mailboxes.count <= Self.maximumMailboxes, octets <= Self.maximumNameOctets else {
            throw self.error(.commandTooLarge)
        }
        // Each repeated filter would expand to the same mailboxes again.
        for filter in [NotifyGroup.Filter.inboxes, .personal, .subscribed] {
            guard notify.groups.count(where: { $0.filter == filter }) <= 1 else {
                throw self.error(.expected("one group of each kind"))
            }
        }
        guard notify.groups.count(where: { $0.filter.isSelected }) <= 1 else {
            throw self.error(.expected("one selected group"))
        }
        return notify
    }

    ///     event-group = "(" filter-mailboxes SP events ")"
    ///     events = ("(" event *(SP event) ")") / "NONE"
    private mutating func notifyGroup() throws(SyntaxError) -> NotifyGroup {
        try self.expectOpening()
        var group = NotifyGroup(filter: try self.notifyFilter(), events: [])
        try self.expectBlank()
        if !self.take(word: "NONE") {
            let events = try self.elements { cursor throws(SyntaxError) in
                try cursor.notifyEvent(&group)
            }
            for event in events where !group.events.contains(event) { group.events.append(event) }
        }
        try self.expectClosing()
        try self.check(&group)
        return group
    }

    /// Checks the combination of events: MessageNew and MessageExpunge only occur together,
    /// FlagChange only with both. The selected mailbox has only message events, and only it has
    /// items (RFC 5465 §5, §6.1, §8).
    ///
    /// In other groups missing message events are added: they are all reported as STATUS, and
    /// Dovecot accepts them without each other.
    private func check(_ group: inout NotifyGroup) throws(SyntaxError) {
        let pair = [NotifyGroup.Event.messageNew, .messageExpunge]
        if group.events.contains(where: \.isOfMessage) {
            let missing = pair.filter { !group.events.contains($0) }
            guard missing.isEmpty || !group.filter.isSelected else {
                throw self.error(.expected("MessageNew and MessageExpunge"))
            }
            group.events += missing
        }
        guard
            !group.filter.isSelected
                || group.events.allSatisfy({ $0.isOfMessage || $0 == .unsupported })
        else { throw self.error(.expected("message events")) }
        guard group.filter.isSelected || group.attributes.isEmpty else {
            throw self.error(.expected("no items"))
        }
    }

    private mutating func notifyFilter() throws(SyntaxError) -> NotifyGroup.Filter {
        switch try self.atom().uppercasedText() {
        case "SELECTED": return .selected
        case "SELECTED-DELAYED": return .selectedDelayed
        case "INBOXES": return .inboxes
        case "PERSONAL": return .personal
        case "SUBSCRIBED": return .subscribed
        case "SUBTREE": return .subtree(try self.oneOrMoreMailboxes())
        case "MAILBOXES": return .mailboxes(try self.oneOrMoreMailboxes())
        default: throw self.error(.expected("mailbox filter"))
        }
    }

    ///     one-or-more-mailbox = mailbox / "(" mailbox *(SP mailbox) ")"
    private mutating func oneOrMoreMailboxes() throws(SyntaxError) -> [ClientMailbox] {
        try self.expectBlank()
        guard self.peek() == UInt8(ascii: "(") else { return [try self.mailbox()] }
        return try self.elements(atMost: Self.maximumMailboxes) { cursor throws(SyntaxError) in
            try cursor.mailbox()
        }
    }

    private mutating func notifyEvent(
        _ group: inout NotifyGroup
    ) throws(SyntaxError) -> NotifyGroup.Event {
        switch try self.atom().uppercasedText() {
        case "MESSAGENEW":
            if self.takeBlankBeforeList() {
                group.attributes = try self.unasked()
            }
            return .messageNew
        case "MESSAGEEXPUNGE": return .messageExpunge
        case "FLAGCHANGE": return .flagChange
        case "MAILBOXNAME": return .mailboxName
        case "SUBSCRIPTIONCHANGE": return .subscriptionChange
        default: return .unsupported
        }
    }
}
