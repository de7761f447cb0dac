# Sentences of problems: `problem-<code>`.
problem-record-id = Mã bản ghi không đúng dạng.

# Names with a grammar.
problem-doi = Đây không phải là DOI. DOI có dạng 10.5072/abc-123.
problem-orcid = Đây không phải là mã ORCID. Mã ORCID có dạng 0000-0002-1825-0097.
problem-orcid-check-digit = Ký tự cuối của mã ORCID không khớp với các ký tự trước: có một ký tự bị gõ sai.
problem-ror = Đây không phải là mã ROR. Mã ROR có dạng 02h40vc28.
problem-ror-check-digit = Hai chữ số cuối của mã ROR không khớp với phần còn lại: có một ký tự bị gõ sai.
problem-file-key-empty = Tệp không có tên.
problem-file-key-too-long = Tên tệp quá dài. Hãy rút ngắn tên hoặc dùng ít cấp thư mục hơn.
problem-file-key-path = Tên tệp là đường dẫn bên trong bộ dữ liệu: không bắt đầu bằng "/", và không phần nào được để trống, là "." hoặc "..".
problem-file-key-character = Tên tệp chứa ký tự không nhìn thấy hoặc không lưu được, chẳng hạn ký tự điều khiển. Hãy đổi tên tệp.
problem-sha256 = Đây không phải là mã kiểm tra SHA-256: mã này gồm 64 chữ số thập lục phân.
problem-md5 = Đây không phải là mã kiểm tra MD5: mã này gồm 32 chữ số thập lục phân.

# Bytes of uploads.
problem-upload-length = Đã nhận { $received } byte trong khi thông báo là { $expected } byte. Không có gì được lưu: vui lòng tải tệp lên lại.
problem-content-path = Đây không phải là đường dẫn của một tệp trong kho lưu trữ.

# Metadata and the checklist
problem-metadata-too-large = Siêu dữ liệu lớn hơn { $limit } byte.
problem-too-long = Nội dung này quá dài; giới hạn là { $limit }.
problem-too-many = Có quá nhiều mục ở đây; giới hạn là { $limit }.
problem-too-deep = Nội dung này lồng quá sâu; giới hạn là { $limit } cấp.
problem-not-an-object = Ở đây cần một đối tượng.
problem-not-a-list = Ở đây cần một danh sách.
problem-not-text = Ở đây cần văn bản.
problem-not-a-boolean = Ở đây cần true hoặc false.
problem-unknown-field = Không có trường “{ $value }”; trường này bị bỏ qua.
problem-missing-id = Thiếu mã (id).
problem-agent-type = “{ $value }” không phải “personal” cũng không phải “organizational”.
problem-affiliation-empty = Cơ quan công tác cần mã ROR hoặc tên.
problem-rights-empty = Giấy phép cần mã, hoặc tiêu đề riêng.
problem-rights-both = Hãy ghi mã giấy phép, hoặc tiêu đề và liên kết riêng, không ghi cả hai.
problem-subject-empty = Chủ đề cần mã hoặc từ khóa.
problem-date-missing = Thiếu ngày.
problem-date = “{ $value }” không phải là ngày. Hãy viết 2026, 2026-02, 2026-02-14 hoặc khoảng như 2018/2020-09.
problem-date-order = Khoảng thời gian “{ $value }” kết thúc trước khi bắt đầu.
problem-day = “{ $value }” không phải là ngày. Hãy viết dạng 2026-02-14.
problem-visibility = “{ $value }” không phải “public” cũng không phải “restricted”; tạm coi là hạn chế truy cập.
problem-identifier = “{ $value }” không phải là mã định danh hợp lệ của loại này.
problem-identifier-empty = Thiếu mã định danh.
problem-scheme-missing = Không nhận ra loại mã định danh của “{ $value }”; vui lòng chọn loại.
problem-reference-empty = Tài liệu tham khảo cần có nội dung.
problem-funder-empty = Cơ quan tài trợ cần mã ROR hoặc tên.
problem-award-empty = Khoản tài trợ cần mã số, tên hoặc id.
problem-custom-field-key = “{ $value }” không phải là tên trường tùy chỉnh. Tên có dạng journal:title.
problem-geometry = Đây không phải là hình học GeoJSON.
problem-geometry-range = Tọa độ gồm kinh độ (−180 đến 180), rồi vĩ độ (−90 đến 90).
problem-geometry-ring = Đa giác phải kết thúc tại điểm bắt đầu.
problem-geometry-too-large = Hình này có quá nhiều điểm; vui lòng đặt vào một tệp.
problem-isbn = “{ $value }” không phải là ISBN, hoặc có chữ số gõ sai.
problem-issn = “{ $value }” không phải là ISSN, hoặc có chữ số gõ sai.
problem-isni = “{ $value }” không phải là ISNI, hoặc có chữ số gõ sai.
problem-arxiv = “{ $value }” không phải là mã arXiv. Mã có dạng arXiv:2101.00001.
problem-handle = “{ $value }” không phải là mã Handle. Mã có dạng 2381/12345.
problem-url = “{ $value }” không phải là địa chỉ web. Địa chỉ bắt đầu bằng https:// hoặc http://.
problem-urn = “{ $value }” không phải là URN. URN bắt đầu bằng urn:.
problem-unknown-resource-type = Không có loại tài nguyên “{ $value }”.
problem-unknown-licence = Không có giấy phép nào có mã SPDX “{ $value }”.
problem-unknown-language = Không có ngôn ngữ nào có mã ISO 639-3 “{ $value }”.
problem-unknown-role = Không có vai trò “{ $value }”.
problem-unknown-date-type = Không có loại ngày “{ $value }”.
problem-unknown-title-type = Không có loại tiêu đề “{ $value }”.
problem-unknown-description-type = Không có loại mô tả “{ $value }”.
problem-unknown-relation-type = Không có quan hệ “{ $value }”.
problem-unknown-removal-reason = Không có lý do rút “{ $value }”.
problem-unknown-community-type = Không có loại cộng đồng “{ $value }”.
problem-unknown-subject = Không có chủ đề nào có mã “{ $value }”. Từ khóa riêng ghi vào “subject”.
problem-unknown-affiliation = Không biết tổ chức “{ $value }”.
problem-unknown-funder = Không biết cơ quan tài trợ “{ $value }”.
problem-unknown-scheme = “{ $value }” không phải là loại mã định danh dùng được ở đây.
problem-required = Thiếu dữ liệu của trường bắt buộc.
problem-title-too-short = Tiêu đề cần ít nhất 3 ký tự.
problem-resource-type-not-depositable = Bản ghi không thể thuộc loại này; bản ghi khác chỉ có thể dẫn tới nó.
problem-scheme-twice = Có hai mã định danh loại “{ $value }”; hãy giữ một.
problem-files-missing = Chưa có tệp nào được tải lên. Muốn công bố không kèm tệp, hãy chọn chỉ siêu dữ liệu.
problem-files-pending = Còn { $count } tệp tải lên chưa xong. Hãy hoàn tất hoặc xóa các tệp đó.
problem-files-not-expected = Bản ghi được chọn chỉ siêu dữ liệu nhưng có { $count } tệp. Vui lòng xóa hết các tệp trước.
problem-embargo-inactive = Có ngày hết hạn chế công bố nhưng hạn chế chưa được bật.
problem-embargo-without-end = Cần ghi ngày hết hạn chế công bố.
problem-embargo-past = Ngày hết hạn chế công bố phải ở tương lai.
problem-embargo-of-nothing = Hạn chế công bố cần áp dụng cho các tệp hoặc cho bản ghi: hãy hạn chế truy cập một trong hai.
problem-recommended-description = Mô tả giúp người khác hiểu và tìm thấy bản ghi.
problem-recommended-translation = Tiêu đề bằng ngôn ngữ thứ hai giúp nhiều người tìm thấy bản ghi hơn.
problem-recommended-licence = Không có giấy phép thì không ai biết được phép làm gì với dữ liệu.
problem-recommended-licence-link = Giấy phép riêng nên có liên kết tới toàn văn.
problem-recommended-keywords = Từ khóa hoặc chủ đề giúp tìm thấy bản ghi.
problem-recommended-orcid = Mã ORCID của từng tác giả bảo đảm ghi công đúng người.
problem-recommended-language = Ngôn ngữ của bản ghi giúp hiển thị và tìm kiếm đúng.

# The archive.
problem-archive-head = Kho lưu trữ đang giữ một phiên bản khác với phiên bản được chờ đợi của bản ghi này. Có thể ai đó vừa xuất bản: vui lòng xem lại bản ghi rồi thử lại.
problem-file-key-twice = Có hai tệp trùng tên.
problem-file-key-folder = Một tên được dùng cho cả tệp lẫn thư mục: { $path }
problem-ocfl-version = Đây không phải là phiên bản của một đối tượng OCFL, chẳng hạn v1.
problem-ocfl-path = Đây không phải là đường dẫn của một đối tượng OCFL.
