import Foundation
import NIOCore
import NIOPosix
import Store
import Support
import Synchronization

@testable import Gateway

/// A node's folder of copies, and the database that it shares.
final class SentCopySharingBench: Sendable {
    let shared: SharedFixture
    let store: PermissionStore
    let folder: URL
    let permissions: CurrentPermissions
    let sharing: SentCopySharing
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let adopted = Mutex<[String]>([])

    init(_ shared: SharedFixture? = nil, node: String = "one") throws {
        let shared = try shared ?? SharedFixture()
        self.shared = shared
        self.store = try shared.node(node)
        self.folder = shared.fixture.folder.url.appendingPathComponent("sent-\(node)")
        try FileManager.default.createDirectory(
            at: self.folder,
            withIntermediateDirectories: true
        )
        self.permissions = try shared.fixture.permissions()
        self.sharing = SentCopySharing(
            store: self.store,
            folder: self.folder,
            logger: shared.fixture.log.logger
        )
        self.sharing.start(self.permissions)
    }

    /// - Parameter octets: what the row says of the size.
    func copy(_ name: String, octets: Int = 6) throws -> StoredSentCopy {
        StoredSentCopy(
            name: name,
            account: try self.shared.fixture.account("anna"),
            octets: UInt64(octets),
            messageID: nil
        )
    }

    func file(_ name: String) -> URL { self.folder.appendingPathComponent(name) }

    func write(_ name: String) throws { try Data("octets".utf8).write(to: self.file(name)) }

    func remove(_ name: String) throws { try FileManager.default.removeItem(at: self.file(name)) }

    var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: self.folder.path)) ?? [])
            .sorted()
    }

    func share(_ name: String, octets: Int = 6) async throws -> Bool {
        let copy = try self.copy(name, octets: octets)
        return try await answer {
            self.sharing.share([copy], suffix: "unsent", on: self.loop, done: $0)
        }
    }

    /// A message went out, and its copy waits.
    func send(_ name: String, octets: Int = 6) async throws {
        try self.write("\(name).unsent")
        try await self.sendFile(name, octets: octets)
    }

    /// The message of a file went out.
    func sendFile(_ name: String, octets: Int) async throws {
        _ = try await self.share(name, octets: octets)
        try FileManager.default.moveItem(
            at: self.file("\(name).unsent"),
            to: self.file("\(name).eml")
        )
        await withCheckedContinuation { done in
            self.sharing.sent([name], on: self.loop) { done.resume() }
        }
    }

    func begin(_ name: String, generation: Int = 0) async throws -> SentCopySharing.Verdict {
        try await answer {
            self.sharing.begin(name, generation: generation, on: self.loop, answer: $0)
        }
    }

    func confirm(_ name: String) async throws -> Bool {
        try await answer { self.sharing.confirm(name, on: self.loop, answer: $0) }
    }

    /// Polls, and waits for the end.
    func poll() async throws {
        self.sharing.poll(suffix: "eml") { copy in
            self.adopted.withLock { $0.append(copy.name) }
        }
        _ = try await self.begin("none")
    }

    func finish(_ name: String) async {
        await withCheckedContinuation { done in
            self.sharing.finished(name, file: self.file("\(name).eml")) { done.resume() }
        }
    }

    func stop() async throws { try await self.sharing.stop() }
}
