# Sổ cái: trên trang của bộ dữ liệu, trang giới thiệu, và lý do bị từ chối.
ledger = Sổ cái
ledger-since = Mục { $entry }, từ { $date }.
ledger-receipt = Tải bằng chứng
ledger-lead = Mỗi lần công bố, sửa mô tả hay rút khỏi trang đều là một mục trong sổ cái công khai, chỉ ghi thêm chứ không sửa. Mỗi mục mới làm thay đổi bản tóm tắt có chữ ký, nên không ai, kể cả chúng tôi, có thể sửa hay xóa một mục mà không bị phát hiện. Sổ chỉ chứa tên và mã kiểm tra, không có dữ liệu cá nhân.
ledger-check-receipt = Tải bằng chứng ở trang của bộ dữ liệu, và các tệp của nó.
ledger-check-program = Kiểm tra cả hai, không cần mạng, và nhiều năm sau vẫn được:
ledger-check-witness = Các tổ chức đối tác giữ những bản tóm tắt trước và chỉ ký chứng thực bản mới khi nó nối tiếp các bản ấy.
ledger-checkpoint = Bản tóm tắt mới nhất
ledger-witnesses = Khóa và các bên chứng thực
problem-ledger-size = Sổ cái không có mốc nào cho kích thước { $size }.
problem-cosignature = Chữ ký chứng thực không được nhận: { $why }.
