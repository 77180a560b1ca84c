import Access
import IMAP

/// The mailboxes of an account that are polled, because its server lacks NOTIFY (RFC 5465).
struct Polling {
    /// Mailboxes of one account that are polled. Their counts are kept as long as the client
    /// watches, and the server has to count each one before NOTIFY is answered.
    static let maximumMailboxes = 256
    /// Mailboxes that are polled in a minute, because a server may read a whole folder to count it.
    /// A full list takes four minutes.
    static let mailboxesPerPoll = 64

    /// A polled mailbox.
    struct Mailbox {
        var folder: FolderPath
        /// Whether flag changes are reported, by the number of messages without `\Seen`.
        var countsUnseen: Bool
        /// The last counts of the server; nil before the first.
        var counts: [StatusItem: StatusResponse.Value]?

        /// The STATUS items to ask for.
        var items: [StatusItem] {
            [.messages, .uidNext, .uidValidity] + (self.countsUnseen ? [.unseen] : [])
        }
    }

    /// The polled mailboxes.
    private(set) var mailboxes: [Mailbox] = []
    /// Whether new and removed messages of the selected mailbox are reported.
    var pollsSelected = false
    /// Whether the client asked for the counts of each mailbox at once (STATUS of NOTIFY SET).
    var tellsFirst = false
    /// Whether some mailboxes are not polled because there are too many.
    private(set) var isIncomplete = false
    /// The index of the mailbox that is polled next.
    private var next = 0
    /// Mailboxes that are still to be polled in this round.
    private var remaining = 0
    /// The index of the mailbox whose counts were requested.
    private var asked: Int?

    /// Whether there is nothing to poll.
    var isEmpty: Bool { self.mailboxes.isEmpty && !self.pollsSelected }

    /// Adds a mailbox, up to the limit.
    mutating func add(_ folder: FolderPath, countsUnseen: Bool) {
        guard self.mailboxes.count < Self.maximumMailboxes else {
            self.isIncomplete = true
            return
        }
        self.mailboxes.append(Mailbox(folder: folder, countsUnseen: countsUnseen))
    }

    /// Keeps the counts of mailboxes that were polled before.
    mutating func keepCounts(of before: Polling?) {
        let known = Dictionary((before?.mailboxes ?? []).map { ($0.folder, $0) }) { one, _ in one }
        for (index, mailbox) in self.mailboxes.enumerated() {
            guard let before = known[mailbox.folder], before.countsUnseen == mailbox.countsUnseen
            else { continue }
            self.mailboxes[index].counts = before.counts
        }
    }

    /// Starts a round.
    /// - Parameter limit: mailboxes to poll in it.
    mutating func begin(atMost limit: Int) {
        self.remaining = min(limit, self.mailboxes.count)
    }

    /// The next mailbox to poll; nil at the end of the round.
    mutating func advance() -> Mailbox? {
        self.asked = nil
        guard self.remaining > 0, !self.mailboxes.isEmpty else { return nil }
        self.remaining -= 1
        let index = self.next % self.mailboxes.count
        self.next = (index + 1) % self.mailboxes.count
        self.asked = index
        return self.mailboxes[index]
    }

    /// Stores the counts of the mailbox that is being polled.
    /// - Returns: whether the client has to be told.
    mutating func take(_ status: StatusResponse, of folder: FolderPath) -> Bool {
        guard let asked = self.asked, self.mailboxes[asked].folder == folder else { return false }
        let known = self.mailboxes[asked].items
        let items = status.items.filter { known.contains($0.item) }
        let counts = Dictionary(items.map { ($0.item, $0.value) }) { first, _ in first }
        let before = self.mailboxes[asked].counts
        self.mailboxes[asked].counts = counts
        return before.map { $0 != counts } ?? self.tellsFirst
    }
}
