import Access
import IMAP
import NIOCore
import Testing

@testable import Session

/// The state machine of LIST and LSUB, without a session.
@Suite struct ListingTests {
    private static let unavailable =
        "S: a1 NO [UNAVAILABLE] The mail server of this mailbox cannot be used now"

    private static func listing(_ text: String) throws -> Listing {
        guard case .command(let tag, let command) = CommandParser.parse(ByteBuffer(string: text))
        else { throw SyntaxError(.unknownCommand, at: 0) }
        switch command {
        case .list(let list): return Listing(tag: tag, request: ListRequest(list))
        case .lsub(let lsub): return Listing(tag: tag, request: ListRequest(lsub))
        default: throw SyntaxError(.unknownCommand, at: 0)
        }
    }

    private static func key(_ account: AccountID) -> FolderListKey {
        FolderListKey(account: account, isOwner: account == 1)
    }

    /// A cached list of an account's folders.
    private static func known(_ names: [String], isCurrent: Bool) -> FolderKnowledge {
        var folders = ListedFolders()
        for name in names {
            guard let path = FolderPath(octets: Array(name.utf8)) else { continue }
            folders.append(path, attributes: [])
        }
        var known = FolderKnowledge()
        known.folders = KnownFolders(folders, aliases: OctetStringSet(), subscriptions: nil)
        known.isCurrent = isCurrent
        return known
    }

    /// - Parameters:
    ///   - text: the command, which covers Bob's folders.
    ///   - connected: the accounts whose servers are connected.
    private static func run(
        _ text: String = "a1 LIST \"\" \"Other Users/*\"",
        grants: [String] = ["bob account lr"],
        connected: [String] = ["bob"],
        known: [FolderListKey: FolderKnowledge] = [:],
        script: String
    ) throws -> RecordedContext {
        var context = try RecordedContext(grants: grants)
        for name in connected { context.connect(name, "LITERAL+") }
        let listing = try Self.listing(text)
        var run = MachineScript(listing, in: context)
        listing.begin(in: &run.context)
        try run.play("lookUpFolders")
        listing.foldersLookedUp(known, in: &run.context)
        try run.play(script)
        return run.context
    }

    // MARK: - One server

    @Test func `the visible folders are listed by name`() throws {
        _ = try Self.run(
            grants: ["bob folder:Akten lr", "bob folder:Post lr"],
            script: """
                U bob> T LIST "" "*"
                limitWaiting
                U bob< * LIST () "/" Post
                U bob< * LIST () "/" Privat
                U bob< * LIST (\\HasChildren) "/" Akten
                U bob< T OK Done.
                keepFolders
                S: * LIST (\\NonExistent \\Noselect \\HasChildren) "/" "Other Users/bob@kanzlei.example"
                S: * LIST (\\HasNoChildren) "/" "Other Users/bob@kanzlei.example/Akten"
                S: * LIST (\\HasNoChildren) "/" "Other Users/bob@kanzlei.example/Post"
                S: a1 OK LIST completed
                """
        )
    }

    @Test func `a folder whose right was withdrawn before the answer is not listed`() throws {
        _ = try Self.run(
            script: """
                U bob> T LIST "" "*"
                limitWaiting
                U bob< * LIST () "/" Akten
                ! grant bob folder:Post lr
                U bob< * LIST () "/" Post
                U bob< T OK Done.
                keepFolders
                S: * LIST (\\NonExistent \\Noselect \\HasChildren) "/" "Other Users/bob@kanzlei.example"
                S: * LIST (\\HasNoChildren) "/" "Other Users/bob@kanzlei.example/Post"
                S: a1 OK LIST completed
                """
        )
    }

    @Test(arguments: ["U bob< T NO No.", "! lost bob"])
    func `LIST fails if the only server fails`(end: String) throws {
        _ = try Self.run(
            script: """
                U bob> T LIST "" "*"
                limitWaiting
                U bob< * LIST () "/" Akten
                \(end)
                \(Self.unavailable)
                """
        )
    }

    @Test func `LIST connects to the server first`() throws {
        _ = try Self.run(
            connected: [],
            script: """
                open bob
                limitWaiting
                ! ready bob LITERAL+
                U bob> T LIST "" "*"
                U bob< T OK Done.
                keepFolders
                S: * LIST (\\NonExistent \\Noselect \\HasChildren) "/" "Other Users/bob@kanzlei.example"
                S: a1 OK LIST completed
                """
        )
    }

    // MARK: - Cached lists

    @Test func `a current cached list is shown without a connection`() throws {
        _ = try Self.run(
            connected: [],
            known: [Self.key(2): Self.known(["Akten"], isCurrent: true)],
            script: """
                S: * LIST (\\NonExistent \\Noselect \\HasChildren) "/" "Other Users/bob@kanzlei.example"
                S: * LIST (\\HasNoChildren) "/" "Other Users/bob@kanzlei.example/Akten"
                S: a1 OK LIST completed
                """
        )
    }

    @Test func `the cached list replaces the answer of a lost server`() throws {
        _ = try Self.run(
            known: [Self.key(2): Self.known(["Akten"], isCurrent: false)],
            script: """
                U bob> T LIST "" "*"
                limitWaiting
                ! lost bob
                S: * LIST (\\NonExistent \\Noselect \\HasChildren) "/" "Other Users/bob@kanzlei.example"
                S: * LIST (\\HasNoChildren) "/" "Other Users/bob@kanzlei.example/Akten"
                S: * NO [UNAVAILABLE] Some mail servers do not answer; their folders are as last known
                S: a1 OK LIST completed
                """
        )
    }

    @Test func `a server that does not answer in time is disconnected`() throws {
        var context = try RecordedContext(grants: ["bob account lr"])
        context.connect("bob", "LITERAL+")
        let listing = try Self.listing("a1 LIST \"\" \"Other Users/*\"")
        listing.begin(in: &context)
        listing.foldersLookedUp([:], in: &context)
        #expect(listing.part(of: 2)?.step == .folders)
        try listing.count(octets: 10, from: 2)
        context.log = []
        listing.waitingTimePassed(in: &context)
        #expect(context.log == ["limitWaiting"])
        context.log = []
        listing.waitingTimePassed(in: &context)
        #expect(context.log == ["serverStalled", "drop bob", Self.unavailable])
    }

    @Test func `LIST waits for the server of the selected mailbox`() throws {
        var context = try RecordedContext(grants: ["bob account lr"])
        context.connect("bob", "LITERAL+")
        context.select("bob")
        let listing = try Self.listing("a1 LIST \"\" \"Other Users/*\"")
        listing.begin(in: &context)
        listing.foldersLookedUp([:], in: &context)
        context.log = []
        listing.waitingTimePassed(in: &context)
        listing.waitingTimePassed(in: &context)
        #expect(context.log == ["limitWaiting", "limitWaiting"])
    }

    // MARK: - Counts

    @Test func `STATUS is requested for each folder that the user may read`() throws {
        _ = try Self.run(
            "a1 LIST \"\" \"Other Users/bob@kanzlei.example/*\" RETURN (STATUS (MESSAGES))",
            grants: ["bob folder:Akten lr", "bob folder:Post l"],
            script: """
                U bob> T LIST "" "*"
                limitWaiting
                U bob< * LIST () "/" Akten
                U bob< * LIST () "/" Post
                U bob< T OK Done.
                keepFolders
                U bob> T STATUS Akten (MESSAGES)
                U bob< * STATUS Akten (MESSAGES 3)
                U bob< T OK Done.
                S: * LIST (\\HasNoChildren) "/" "Other Users/bob@kanzlei.example/Akten"
                S: * STATUS "Other Users/bob@kanzlei.example/Akten" (MESSAGES 3)
                S: * LIST (\\HasNoChildren) "/" "Other Users/bob@kanzlei.example/Post"
                S: a1 OK LIST completed
                """
        )
    }

    @Test func `unsolicited STATUS is not part of the answer`() throws {
        var context = try RecordedContext(grants: ["bob account lr"])
        context.connect("bob", "LITERAL+")
        let listing = try Self.listing("a1 LIST \"\" \"Other Users/*\"")
        listing.begin(in: &context)
        listing.foldersLookedUp([:], in: &context)
        let status = try StatusResponse(ByteBuffer(string: "* STATUS Akten (MESSAGES 3)\r\n"))
        let folder = try #require(FolderPath(octets: Array("Akten".utf8)))
        #expect(
            try !listing.received(.untagged(.counts(status, folder)), from: 2, in: &context)
        )
        #expect(try !listing.received(.continued, from: 2, in: &context))
    }

    // MARK: - Subscriptions

    @Test func `the answer waits for the user's subscription choices`() throws {
        var context = try RecordedContext(grants: ["bob account lr"])
        context.connect("bob", "LITERAL+")
        let listing = try Self.listing("a1 LSUB \"\" \"Other Users/*\"")
        listing.begin(in: &context)
        listing.foldersLookedUp(
            [Self.key(2): Self.known(["Akten", "Post"], isCurrent: true)],
            in: &context
        )
        var run = MachineScript(listing, in: context)
        run.context.log = []
        try run.play(
            "U bob< * LIST () \"/\" Akten\nU bob< * LIST () \"/\" Post\nU bob< T OK Done.\nkeepFolders"
        )
    }

    @Test func `LIST fails if the subscription choices cannot be read`() throws {
        var context = try RecordedContext(grants: ["bob account lr"])
        let listing = try Self.listing("a1 LSUB \"\" \"Other Users/*\"")
        listing.begin(in: &context)
        context.log = []
        #expect(listing.subscriptionsLoaded(nil, in: &context))
        #expect(context.log == [Self.unavailable])
    }

    /// A lost wake-up: the command behind it would wait for the server's answer to this one.
    @Test(arguments: [("OK Done.", false), ("NO No.", false), ("", true)])
    func `without the user's decisions the answer waits for what is in flight`(
        end: String,
        isLost: Bool
    ) throws {
        var context = try RecordedContext(grants: ["bob account lr", "clara account lr"])
        context.connect("bob", "LITERAL+")
        let listing = try Self.listing("a1 LSUB \"\" \"Other Users/*\"")
        listing.begin(in: &context)
        listing.foldersLookedUp([:], in: &context)
        context.log = []
        #expect(listing.subscriptionsLoaded(nil, in: &context))
        #expect(context.log == [])
        #expect(listing.part(of: 2)?.step == .folders)
        // Nothing is in flight there yet, and nothing is asked any more.
        let others = listing.parts.filter { $0.account != 2 }
        #expect(!others.isEmpty && others.allSatisfy { $0.step == .failed })
        #expect(!listing.subscriptionsLoaded(SubscriptionChoices(), in: &context))
        var run = MachineScript(listing, in: context)
        try run.play((isLost ? "! lost bob" : "U bob< T \(end)") + "\n" + Self.unavailable)
        #expect(run.context.isFinished)
    }

    @Test func `the completion of an earlier command is not taken for its own`() throws {
        var context = try RecordedContext(grants: ["bob account lr"])
        context.connect("bob", "LITERAL+")
        let earlier = try #require(context.upstream(of: 2))
        earlier.inFlight = ByteBuffer(string: "x")
        let listing = try Self.listing("a1 LIST \"\" \"Other Users/*\"")
        listing.begin(in: &context)
        listing.foldersLookedUp([:], in: &context)
        earlier.inFlight = nil
        let completion = UpstreamEvent.completed(Completion(condition: .ok))
        #expect(try !listing.received(completion, from: 2, in: &context))
        #expect(listing.part(of: 2)?.step == .waitingForUpstream)
        #expect(try listing.received(.ready, from: 2, in: &context))
        #expect(listing.part(of: 2)?.step == .folders)
    }

    @Test func `a LIST without subscriptions ignores the subscription choices`() throws {
        var context = try RecordedContext(grants: ["bob account lr"])
        let listing = try Self.listing("a1 LIST \"\" \"Other Users/*\"")
        listing.begin(in: &context)
        #expect(!listing.subscriptionsLoaded(SubscriptionChoices(), in: &context))
    }

    // MARK: - Limits

    @Test func `a server that exceeds the limit of a listing violates the protocol`() throws {
        var context = try RecordedContext(grants: ["bob account lr"])
        context.connect("bob", "LITERAL+")
        let listing = try Self.listing("a1 LIST \"\" \"Other Users/*\"")
        listing.begin(in: &context)
        listing.foldersLookedUp([:], in: &context)
        try listing.count(octets: ListLimits.octetsOfServer, from: 2)
        #expect(throws: SyntaxError.self) { try listing.count(octets: 1, from: 2) }
    }

    @Test func `the lists of all servers together are limited`() throws {
        let listing = try Self.listing("a1 LIST \"\" \"*\"")
        let whole = ListLimits.octets - ListLimits.octetsOfFolder
        try listing.count(octets: whole, from: 9)
        #expect(throws: SyntaxError.self) { try listing.count(octets: 0, from: 9) }
    }
}
