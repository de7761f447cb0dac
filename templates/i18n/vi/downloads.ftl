# Tải về tất cả: danh sách tệp và đường dẫn tới chúng; thư mục tệp.
manifest-embargoed = Các tệp của bản ghi này chưa được cung cấp: tệp chưa công bố đến { $date }.
manifest-restricted = Các tệp của bản ghi này không được cung cấp: chỉ mở cho người được cấp quyền truy cập.
files-top = Tất cả tệp
files-way = Đường dẫn đến thư mục này
download-everything = Tải tất cả dưới dạng zip ({ $size })
use-everything = Tất cả (zip)
use-everything-help = Tải mọi tệp trong một tệp zip (tiếp tục được nếu đứt quãng), giải nén vào một thư mục, rồi đối chiếu mã SHA-256 của từng tệp.
use-aria2-help = Tải mọi tệp, nhiều tệp cùng lúc, tiếp tục được nếu đứt quãng, và đối chiếu mã SHA-256 của từng tệp.
problem-listing-parameter = Không đọc được tham số “{ $name }”: page và size là số từ 1, prefix là văn bản UTF-8.
