import Foundation
import Store
import Synchronization
import Testing

@testable import Gateway

/// The permissions in force while they change.
@Suite struct CurrentPermissionsTests {
    /// More than any read takes; it passes only where a read waits for the change.
    private static let timeout = DispatchTimeInterval.seconds(20)

    private static func published() throws -> StoreSnapshot {
        let path = FileManager.default.temporaryDirectory
            .appendingPathComponent("permissions-\(UUID().uuidString).db").path
        defer {
            for suffix in ["", "-wal", "-shm"] {
                try? FileManager.default.removeItem(atPath: path + suffix)
            }
        }
        return try PermissionStore(path: path).load()
    }

    private final class Reading: Sendable {
        let permissions = Mutex<CurrentPermissions?>(nil)
        let ends = Mutex<[DispatchTimeoutResult]>([])

        /// Reads the permissions on another thread, while others without sharing are built.
        func read() {
            guard let permissions = self.permissions.withLock({ $0 }) else { return }
            let done = DispatchSemaphore(value: 0)
            Thread.detachNewThread {
                _ = permissions.current
                done.signal()
            }
            let end = done.wait(timeout: .now() + CurrentPermissionsTests.timeout)
            self.ends.withLock { $0.append(end) }
        }
    }

    @Test func `readers do not wait while permissions without sharing are built`() throws {
        let (first, second) = (try Self.published(), try Self.published())
        let reading = Reading()
        let permissions = CurrentPermissions(first) { published in
            reading.read()
            return published.withoutSharing
        }
        reading.permissions.withLock { $0 = permissions }
        #expect(permissions.restrict(.store, isInForce: true))
        #expect(!permissions.restrict(.store, isInForce: true))
        #expect(permissions.current !== first)
        permissions.replace(with: second)
        #expect(permissions.current !== second)
        #expect(permissions.restrict(.store, isInForce: false))
        #expect(permissions.current === second)
        #expect(reading.ends.withLock { $0 } == [.success, .success])
    }

    @Test func `permissions that the store did not confirm lately have no sharing`() throws {
        let published = try Self.published()
        let freshness = StoreFreshness(limit: .seconds(1))
        let permissions = CurrentPermissions(published, freshness: freshness)
        #expect(permissions.current === published)
        freshness.begin(at: .now - .seconds(2))
        let outdated = permissions.current
        #expect(outdated !== published)
        // Sessions evaluate what changed, so it has to be the same one.
        #expect(permissions.current === outdated)
        #expect(permissions.restrict(.auditLog, isInForce: true))
        #expect(permissions.current !== published)
        freshness.begin(at: .now + .seconds(60))
        #expect(permissions.current !== published)
        #expect(permissions.restrict(.auditLog, isInForce: false))
        #expect(permissions.current === published)
    }
}
