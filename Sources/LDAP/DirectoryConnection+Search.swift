import CLDAP

extension DirectoryConnection {
    /// The most entries of a page (RFC 2696). Active Directory returns at most 1,000 at a time.
    private static let pageEntries = 500
    /// The most pages in a row without an entry: a server could send them until the deadline.
    private static let maximumEmptyPages = 100
    /// The result codes of a base that does not exist, or that is no name for this server.
    private static let missingBase = [LDAP_NO_SUCH_OBJECT, LDAP_INVALID_DN_SYNTAX]

    /// All entries that match a search. Search references to other servers are ignored.
    ///
    /// A result has several pages if the server supports them (RFC 2696), and all values of an
    /// attribute that Active Directory sends in ranges.
    /// - Throws: `tooManyEntries` if there are more than the search allows, and `failed` if the
    ///   server or the limits allow a part of the result only.
    package func search(_ search: DirectorySearch) throws(DirectoryError) -> [DirectoryEntry] {
        try self.search(search, until: self.deadline(seconds: self.limits.answerSeconds))
    }

    /// - Parameter allowsMissingBase: whether a base that does not exist is an empty result.
    func search(
        _ search: DirectorySearch,
        allowsMissingBase: Bool = false,
        until deadline: Deadline
    ) throws(DirectoryError) -> [DirectoryEntry] {
        let texts = [search.base, search.filter] + search.attributes
        guard !texts.contains(where: { $0.utf8.contains(0) }) else {
            throw .failed("the base, the filter or an attribute of a search contains NUL")
        }
        return try self.perform(until: deadline) { handle throws(DirectoryError) in
            var collection = Collection(search: search, limits: self.limits)
            let result = try self.collect(&collection, handle: handle, until: deadline)
            let isMissing = allowsMissingBase && Self.missingBase.contains(result.code)
            guard result.code == LDAP_SUCCESS || isMissing else {
                throw result.error(of: .search, limit: search.maximumEntries)
            }
            for index in collection.entries.indices {
                try self.completeRanges(
                    of: &collection.entries[index],
                    allowance: &collection.allowance,
                    handle: handle,
                    until: deadline
                )
            }
            return collection.entries
        }
    }

    /// The entries of a search so far.
    private struct Collection {
        var search: DirectorySearch
        var attributes: RequestedAttributes
        var allowance: ResultAllowance
        var entries: [DirectoryEntry] = []

        init(search: DirectorySearch, limits: DirectoryLimits) {
            self.search = search
            self.attributes = RequestedAttributes(search.attributes)
            self.allowance = ResultAllowance(limits)
        }
    }

    /// Collects the entries of all pages.
    /// - Returns: the result of the last one.
    private func collect(
        _ collection: inout Collection,
        handle: LDAPHandle,
        until deadline: Deadline
    ) throws(DirectoryError) -> DirectoryResult {
        let limit = collection.search.maximumEntries
        var page: Page? =
            collection.search.scope == .base
            ? nil
            : Page(entries: CInt(min(Self.pageEntries, max(limit, 0) + 1)), cookie: [])
        var emptyPages = 0
        while true {
            let count = collection.entries.count
            let (result, cookie) = try self.collectPage(
                &collection,
                page: page,
                handle: handle,
                until: deadline
            )
            if result.code == LDAP_UNAVAILABLE_CRITICAL_EXTENSION, page?.cookie == [] {
                // A server that does not know the control, although the control is not critical.
                page = nil
                collection.entries = []
                continue
            }
            guard result.code == LDAP_SUCCESS, page != nil, !cookie.isEmpty else { return result }
            page?.cookie = cookie
            emptyPages = collection.entries.count == count ? emptyPages + 1 : 0
            guard emptyPages <= Self.maximumEmptyPages else { throw handle.unexpected() }
        }
    }

    /// A page of a result.
    private struct Page {
        /// The most entries.
        var entries: CInt
        /// The cookie of the page before; empty for the first page.
        var cookie: [UInt8]
    }

    /// Collects the entries of one page, or of a whole result without pages.
    private func collectPage(
        _ collection: inout Collection,
        page: Page?,
        handle: LDAPHandle,
        until deadline: Deadline
    ) throws(DirectoryError) -> (result: DirectoryResult, cookie: [UInt8]) {
        let id = try self.request(collection.search, page: page, handle: handle, until: deadline)
        while true {
            let answer = try handle.answer(to: id, until: deadline)
            switch answer.type {
            case gp_LDAP_RES_SEARCH_ENTRY:
                guard collection.entries.count < collection.search.maximumEntries else {
                    throw handle.broken(.tooManyEntries(collection.search.maximumEntries))
                }
                let entry: DirectoryEntry?
                do throws(DirectoryError) {
                    entry = try answer.entry(
                        keeping: collection.attributes,
                        allowance: &collection.allowance
                    )
                } catch {
                    throw handle.broken(error)
                }
                guard let entry else { throw handle.unexpected() }
                collection.entries.append(entry)
            case gp_LDAP_RES_SEARCH_REFERENCE, gp_LDAP_RES_INTERMEDIATE:
                continue
            case gp_LDAP_RES_SEARCH_RESULT:
                guard let result = answer.searchResult() else { throw handle.unexpected() }
                return result
            default:
                throw handle.unexpected()
            }
        }
    }

    /// Sends a search request.
    /// - Returns: its message ID.
    private func request(
        _ search: DirectorySearch,
        page: Page?,
        handle: LDAPHandle,
        until deadline: Deadline
    ) throws(DirectoryError) -> CInt {
        let scope =
            switch search.scope {
            case .base: LDAP_SCOPE_BASE
            case .oneLevel: LDAP_SCOPE_ONE
            case .subtree: LDAP_SCOPE_SUB
            }
        // Without an attribute, a server returns all of them (RFC 4511 §4.5.1.8).
        let attributes = search.attributes.isEmpty ? [LDAP_NO_ATTRS] : search.attributes
        // The server stops when the answer is too late.
        var time = timeval(tv_sec: deadline.milliseconds / 1_000 + 1, tv_usec: 0)
        return try handle.request { ldap, id in
            var control: UnsafeMutablePointer<LDAPControl>?
            if let page {
                let code = Self.pageControl(for: page, handle: ldap, control: &control)
                guard code == LDAP_SUCCESS else { return code }
            }
            defer { ldap_control_free(control) }
            var controls = [control, nil]
            return withCStrings(attributes) { attributes in
                ldap_search_ext(
                    ldap,
                    search.base,
                    scope,
                    search.filter,
                    attributes,
                    0,
                    &controls,
                    nil,
                    &time,
                    LDAP_NO_LIMIT,
                    &id
                )
            }
        }
    }

    /// The control of a page. It is not critical: a server that does not know it sends the whole
    /// result.
    private static func pageControl(
        for page: Page,
        handle: OpaquePointer,
        control: inout UnsafeMutablePointer<LDAPControl>?
    ) -> CInt {
        var octets = page.cookie.map { CChar(bitPattern: $0) } + [0]
        return octets.withUnsafeMutableBufferPointer { octets in
            var cookie = berval(
                bv_len: ber_len_t(page.cookie.count),
                bv_val: octets.baseAddress
            )
            return ldap_create_page_control(handle, ber_int_t(page.entries), &cookie, 0, &control)
        }
    }

    /// Reads the values of attributes of which the server has sent a part
    /// (`member;range=0-1499`).
    private func completeRanges(
        of entry: inout DirectoryEntry,
        allowance: inout ResultAllowance,
        handle: LDAPHandle,
        until deadline: Deadline
    ) throws(DirectoryError) {
        while let (attribute, next) = entry.missing.first {
            let search = DirectorySearch(
                base: entry.name,
                scope: .base,
                filter: "(objectClass=*)",
                attributes: ["\(attribute);range=\(next)-*"],
                maximumEntries: 1
            )
            var collection = Collection(search: search, limits: self.limits)
            collection.allowance = allowance
            let result = try self.collect(&collection, handle: handle, until: deadline)
            allowance = collection.allowance
            guard result.code == LDAP_SUCCESS, let part = collection.entries.first,
                entry.complete(attribute, from: next, by: part)
            else {
                throw .failed(
                    "the server sends only a part of the values of "
                        + PeerText.printable(attribute.utf8)
                )
            }
        }
    }
}

/// Calls a function with a list of C strings that ends with nil, as libldap takes lists.
private func withCStrings<Value>(
    _ strings: [String],
    _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> Value
) -> Value {
    var octets: [CChar] = []
    var offsets: [Int] = []
    for string in strings {
        offsets.append(octets.count)
        octets += string.utf8CString
    }
    return octets.withUnsafeMutableBufferPointer { buffer in
        var pointers = offsets.map { offset in buffer.baseAddress.map { $0 + offset } } + [nil]
        return body(&pointers)
    }
}
